"""Puts the commands together and turns errors into exit statuses."""

from __future__ import annotations

import sys
import traceback

import typer

from deepgym_envs.cli.audit import audit_command
from deepgym_envs.cli.authoring import edit_command, new_app, record_command
from deepgym_envs.cli.boxes import boxes_app
from deepgym_envs.cli.doctor import doctor_command
from deepgym_envs.cli.eval import eval_command
from deepgym_envs.cli.exit_status import FINDINGS, INTERRUPTED, NOT_JUDGED, USAGE
from deepgym_envs.cli.generate import generate_app
from deepgym_envs.cli.harbor import export_app
from deepgym_envs.cli.images import images_app
from deepgym_envs.cli.importing import import_command
from deepgym_envs.cli.label import label_command
from deepgym_envs.cli.list import list_command
from deepgym_envs.cli.screen import complain
from deepgym_envs.cli.stopping import stopping
from deepgym_envs.cli.validate import validate_command
from deepgym_envs.cli.verify import verify_command
from deepgym_envs.errors import ActionError, DeepGymError, SandboxError, TaskError, UsageError

__all__ = ["FINDINGS", "INTERRUPTED", "NOT_JUDGED", "USAGE", "app", "main"]

app = typer.Typer(
    name="deepgym-envs",
    help="Software-engineering environments for RL: play, evaluate, check and write tasks.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("eval")(eval_command)
app.command("doctor")(doctor_command)
app.command("validate")(validate_command)
app.command("verify")(verify_command)
app.command("audit")(audit_command)
app.command("label")(label_command)
app.command("list")(list_command)
app.add_typer(generate_app, name="generate")
app.add_typer(new_app, name="new")
app.command("edit")(edit_command)
app.command("record")(record_command)
app.add_typer(images_app, name="images")
app.add_typer(boxes_app, name="boxes")
app.add_typer(export_app, name="export")
app.command("import")(import_command)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its status; no error of this package ends in a traceback.

    SIGTERM and SIGHUP end it as Ctrl-C does, with boxes closed and episodes stored; a second one at once.
    """
    with stopping() as stop_signal:
        try:
            _run(arguments)
        except SystemExit:
            if stop_signal.status is not None:
                sys.exit(stop_signal.status)
            raise


def _run(arguments: list[str] | None) -> None:
    try:
        app(args=arguments)
    except (TaskError, ActionError, UsageError) as error:
        complain(str(error))
        sys.exit(USAGE)
    except (SandboxError, DeepGymError, OSError) as error:
        complain(str(error))
        sys.exit(NOT_JUDGED)
    except Exception:  # a bug, which must not look like a finding
        traceback.print_exc()
        sys.exit(NOT_JUDGED)
    except KeyboardInterrupt:
        complain("stopped")
        sys.exit(INTERRUPTED)
