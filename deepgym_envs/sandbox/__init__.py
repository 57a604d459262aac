"""Places where an agent's code can run: one contract, three backends.

``docker`` isolates best, ``bwrap`` needs neither daemon nor root, ``local`` isolates nothing and is for
trusted code. ``choose_backend("auto")`` takes the first of docker and bwrap that works here. A ``Pool`` keeps
boxes of any backend warm and lets many sandboxes share them.
"""

from deepgym_envs.sandbox.backend import Backend, BackendName, choose_backend
from deepgym_envs.sandbox.contract import Captured, Command, Completed, Found, Line, Query, Sandbox
from deepgym_envs.sandbox.pool import Pool

__all__ = [
    "Backend",
    "BackendName",
    "Captured",
    "Command",
    "Completed",
    "Found",
    "Line",
    "Pool",
    "Query",
    "Sandbox",
    "choose_backend",
]
