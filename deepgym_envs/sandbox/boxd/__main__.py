"""Starts the program of a box; run as a file, with the configuration as its argument.

The folder above is on the import path for as long as the program's own files are imported, and last there.
"""

import importlib
import os
import sys

if __name__ == "__main__":
    sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    server = importlib.import_module("boxd.server")
    sys.path.pop()
    server.main(sys.argv[1])
