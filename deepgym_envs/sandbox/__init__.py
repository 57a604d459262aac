"""Places where an agent's code can run: one contract, three backends.

``docker`` isolates best, ``bwrap`` needs neither daemon nor root, ``local`` isolates nothing and is for
trusted code. ``choose_backend("auto")`` takes the first of docker and bwrap that works here.
"""

from deepgym_envs.sandbox.backend import Backend, BackendName, choose_backend
from deepgym_envs.sandbox.contract import Captured, Command, Completed, Found, Line, Query, Sandbox

__all__ = [
    "Backend",
    "BackendName",
    "Captured",
    "Command",
    "Completed",
    "Found",
    "Line",
    "Query",
    "Sandbox",
    "choose_backend",
]
