"""Puts the commands together and turns errors into exit statuses."""

from __future__ import annotations

import sys

import typer

from deepgym_envs.errors import ActionError, DeepGymError, SandboxError, TaskError
from deepgym_envs.cli.screen import complain

app = typer.Typer(
    name="deepgym-envs",
    help="Software-engineering environments for RL: play, evaluate and check tasks.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

FINDINGS, USAGE, NOT_JUDGED = 1, 2, 3


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its status; no error of this package ends in a traceback."""
    try:
        app(args=arguments)
    except (TaskError, ActionError, ValueError) as error:
        complain(str(error))
        sys.exit(USAGE)
    except (SandboxError, DeepGymError, OSError) as error:
        complain(str(error))
        sys.exit(NOT_JUDGED)
    except KeyboardInterrupt:
        complain("stopped")
        sys.exit(130)
