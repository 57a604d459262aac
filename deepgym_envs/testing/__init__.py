"""For whoever writes a sandbox, a backend or a task: checks that it keeps its promises, and fakes to test
against.

Every check of a sandbox, one test each::

    from deepgym_envs.testing import sandbox_checks

    @pytest.mark.parametrize("check", sandbox_checks(), ids=str)
    def test_my_sandbox(check):
        check(lambda: my_backend.open(task), task.base)
"""

from deepgym_envs.recipe import PYTEST_PINS
from deepgym_envs.testing.chat_server import ChatAnswer, ChatRequest, ChatServer
from deepgym_envs.testing.checks import SandboxCheck, check_sandbox, sandbox_checks
from deepgym_envs.testing.fakes import Answer, FakeBackend, FakeSandbox, completed
from deepgym_envs.testing.tasks import make_recipe, make_task

__all__ = [
    "PYTEST_PINS",
    "Answer",
    "ChatAnswer",
    "ChatRequest",
    "ChatServer",
    "FakeBackend",
    "FakeSandbox",
    "SandboxCheck",
    "check_sandbox",
    "completed",
    "make_recipe",
    "make_task",
    "sandbox_checks",
]
