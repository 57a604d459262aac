"""Tasks in other people's formats: read without executing anything of theirs, and written for their tools."""

from deepgym_envs.importers.harbor import ForeignTask, export_harbor, read_harbor

__all__ = ["ForeignTask", "export_harbor", "read_harbor"]
