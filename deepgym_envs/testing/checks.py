"""Checks that a sandbox keeps every promise of ``deepgym_envs.sandbox.contract``, each small and with a
name."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from deepgym_envs.sandbox.contract import Sandbox
from deepgym_envs.state import Tree
from deepgym_envs.testing import command_checks, file_checks, process_checks, warm_checks, workspace_checks
from deepgym_envs.testing.bench import CANARY, Bench


@dataclass(frozen=True)
class SandboxCheck:
    """One promise of a sandbox; its name is the promise as a sentence.

    ``needs_processes`` tells whether it runs programs, which a fake cannot.
    """

    name: str
    needs_processes: bool
    body: Callable[[Bench], None]

    def __str__(self) -> str:
        return self.name

    def __call__(self, open_box: Callable[[], Sandbox], base: Tree) -> None:
        """Open a box, try the promise and close the box.

        Args:
            open_box: opens a new box whose workspace is ``base``.
            base: any tree that has at least one file that is not empty, and no folder called ``check``.

        Raises:
            AssertionError: the box does not keep it; says what was found and what should have been.
        """
        os.environ[CANARY] = "seen"
        try:
            bench = Bench(open_box, base)
            try:
                self.body(bench)
            finally:
                bench.box.close()
        finally:
            del os.environ[CANARY]


def sandbox_checks(*, processes: bool = True) -> Sequence[SandboxCheck]:
    """Every check, for a test to be parametrised with; without ``processes`` those that a fake can pass.

    The box must have ``sh`` and ``python`` on its path.
    """
    running = [workspace_checks, command_checks, process_checks, warm_checks]
    modules = [file_checks, *running] if processes else [file_checks]
    return [
        SandboxCheck(body.__name__, module is not file_checks, body)
        for module in modules
        for body in module.CHECKS
    ]


def check_sandbox(open_box: Callable[[], Sandbox], base: Tree, *, processes: bool = True) -> None:
    """Try every promise; see ``SandboxCheck`` for the arguments.

    Raises:
        AssertionError: one or more are not kept; names each and says how.
    """
    broken = []
    for check in sandbox_checks(processes=processes):
        try:
            check(open_box, base)
        except Exception as error:  # whatever a box does wrong must not hide the checks that follow
            broken.append(f"{check.name}: {error if isinstance(error, AssertionError) else repr(error)}")
    if broken:
        raise AssertionError("\n".join(broken))
