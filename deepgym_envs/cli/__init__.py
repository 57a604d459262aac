"""The command line: thin commands, one file each, over the functions that do the work.

Exit status: 0 good, 1 findings, 2 unusable arguments, 3 could not be judged. With ``--json`` standard
output holds one JSON object and nothing else; progress and tables go to standard error and to the terminal.
"""

from deepgym_envs.cli.app import main

__all__ = ["main"]
