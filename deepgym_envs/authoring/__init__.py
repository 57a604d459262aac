"""For those who write tasks: folders to start from, a place to work in, and what follows from the work."""

from deepgym_envs.authoring.record import Recorded, record
from deepgym_envs.authoring.template import new_repo, new_task
from deepgym_envs.authoring.workbench import WORK, lay_out, pack

__all__ = ["WORK", "Recorded", "lay_out", "new_repo", "new_task", "pack", "record"]
