"""Tasks in other people's formats: read without executing anything of theirs, and written for their tools."""

from deepgym_envs.importers.conversion import Settings
from deepgym_envs.importers.data_set import Imported, Tally, import_rows, write_tasks
from deepgym_envs.importers.formats import FORMATS
from deepgym_envs.importers.harbor import ForeignTask, export_harbor, read_harbor
from deepgym_envs.importers.rejected import REASONS, Rejected

__all__ = [
    "FORMATS",
    "REASONS",
    "ForeignTask",
    "Imported",
    "Rejected",
    "Settings",
    "Tally",
    "export_harbor",
    "import_rows",
    "read_harbor",
    "write_tasks",
]
