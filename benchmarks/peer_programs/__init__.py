"""Programs that run in the virtual environment of the other packages, each driving one of them.

They import nothing of this package, and time what they do themselves.
"""
