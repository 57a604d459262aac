"""Every error that this package raises, and whose fault each one is.

::

    DeepGymError
    ├── TaskError (ValueError)            the task or recipe is broken: its author mends it
    │   └── UnknownTask (LookupError)     there is no task, suite or recipe of that name
    ├── UsageError (ValueError)           an argument that cannot be used: an option, a file, a folder
    ├── ActionError (ValueError)          the agent's doing: becomes an observation, never leaves env.step
    ├── ModelError (RuntimeError)         a language model or its server failed: ask again, or another one
    └── SandboxError (RuntimeError)       infrastructure: the sample is masked, never rewarded
        ├── SandboxUnavailable            no backend can run here: install or start something
        ├── ImageError                    an image could not be built
        └── BoxLost                       a box stopped answering

``TaskError`` says which file and key to mend, ``SandboxUnavailable`` what to install, ``ActionError`` what
the agent could do instead. "Could not grade" is a ``SandboxError``; it is never a reward of 0.
"""

from __future__ import annotations


class DeepGymError(Exception):
    """Base of every error of this package."""


class TaskError(DeepGymError, ValueError):
    """The task or recipe is broken; its author has to mend it."""


class UnknownTask(TaskError, LookupError):
    """No task, suite or recipe has that name."""


class UsageError(DeepGymError, ValueError):
    """The caller gave an argument that cannot be used; says which would do."""


class ActionError(DeepGymError, ValueError):
    """The agent asked for something that cannot be done; shown to it as an observation."""


class ModelError(DeepGymError, RuntimeError):
    """A language model, or the server that it is behind, gave no answer that can be used."""


class SandboxError(DeepGymError, RuntimeError):
    """The infrastructure failed; the sample says nothing about the agent and is masked."""


class SandboxUnavailable(SandboxError):
    """No sandbox of the wanted kind can run on this machine."""


class ImageError(SandboxError):
    """An image could not be built from its recipe."""


class BoxLost(SandboxError):
    """A box stopped answering: its engine, container or connection is gone.

    ``after_agent_code`` tells whether code written by an agent had run in the box since it was last known to
    be clean. If it had, the agent may have caused the loss, so a grader must not call it infrastructure.
    """

    def __init__(self, message: str, *, after_agent_code: bool = False) -> None:
        super().__init__(message)
        self.after_agent_code = after_agent_code
