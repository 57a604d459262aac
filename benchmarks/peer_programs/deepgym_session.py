"""Drives a Docker session of the package ``deepgym``: ``python -m ... IMAGE FOLDER PATH``."""

from __future__ import annotations

import sys
from importlib.metadata import version

from deepgym import Action, DeepGym, MultiTurnEnvironment

from benchmarks.peer_programs.answering import answer, own_output

_VERIFIER = 'import json\nprint(json.dumps({"score": 1.0, "passed": True}))\n'


def main() -> None:
    """Answer until nobody asks any more."""
    image, folder, path = sys.argv[1:]
    own = own_output()
    gym = DeepGym(mode="docker")
    environment = MultiTurnEnvironment(
        task="none", image=image, max_steps=1_000_000, final_verifier_code=_VERIFIER
    )

    def open_and_close() -> None:
        with gym.session(environment) as fresh:
            fresh.start()

    def episode() -> None:
        tests = "env PYTHONPATH=. /opt/venv/bin/python -m pytest -q -p no:cacheprovider tests"
        with gym.session(environment) as fresh:
            fresh.start()
            for command in (f"ls -R {folder}", f"cat {folder}/{path}", f"grep -rn 'def ' {folder}"):
                fresh.step(Action(action_type="bash", content=command))
            fresh.step(Action(action_type="write_file", path="edited.py", content="x = 1\n" * 40))
            fresh.step(Action(action_type="bash", content=f"cd {folder} && {tests}"))
            fresh.step(Action(action_type="done"))
            fresh.score()

    with gym.session(environment) as session:
        session.start()

        def act(kind: str, **what: str) -> None:
            session.step(Action(action_type=kind, **what))

        answer(
            own,
            version("deepgym"),
            {
                "read": lambda: act("bash", content=f"cat {folder}/{path}"),
                "edit": lambda: act("write_file", path="edited.py", content="x = 1\n" * 40),
                "true": lambda: act("bash", content="true"),
                "open": open_and_close,
                "episode": episode,
            },
        )


if __name__ == "__main__":
    main()
