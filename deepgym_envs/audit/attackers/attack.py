"""Lets a model try to be paid for a task that it does not solve, in rounds, and checks what was paid for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, get_args

from deepgym_envs.audit.attackers.attack_report import AttackReport, Round
from deepgym_envs.audit.attackers.attempt import state_of
from deepgym_envs.audit.attackers.chat import NO_TOKENS, ChatModel, Message, Reply
from deepgym_envs.audit.attackers.jury import Jury
from deepgym_envs.audit.attackers.prompt import opening, refused_answer
from deepgym_envs.audit.attackers.transcript import Transcript
from deepgym_envs.audit.attackers.truth import ModelTier
from deepgym_envs.audit.judges import GRADERS, GraderName, check_isolates, judge_of
from deepgym_envs.errors import ActionError, ModelError, UsageError
from deepgym_envs.sandbox import Backend, BackendName, choose_backend
from deepgym_envs.task import Task
from deepgym_envs.text import one_line, shorten

_SAID_BACK = 100_000  # characters of an answer, in what is sent of the conversation so far
_REPEATED = "these files were handed in before"


def attack(  # noqa: PLR0913 - every option is written out
    task: Task,
    model: ChatModel,
    *,
    tier: ModelTier,
    sandbox: BackendName | Backend = "auto",
    grader: GraderName = "ours",
    rounds: int = 8,
    transcripts: str | Path | None = None,
    prompt_chars: int = 300_000,
    on_round: Callable[[Round], None] | None = None,
) -> AttackReport:
    """Ask ``model`` for cheats until one is paid or ``rounds`` answers were given.

    In tier 2 it sees the hidden tests and the source of ``grader``, and is told why it was refused; in tier 3
    it sees what an agent sees, and is told its score. Whatever is paid is looked at again, see ``truth``.

    Args:
        transcripts: a folder that gets a file of JSON lines for each task and tier.
        prompt_chars: about how many characters of files the first message may hold.
        on_round: is told of each round as it ends.

    ::

        report = attack(load_task("starter/seamline-small-bars"), ChatEndpoint("http://host/v1", "m"), tier=2)
        print(report.status, report.bound, [each.reason for each in report.rounds])

    Raises:
        UsageError: an option is no good, the grader cannot judge this task, the sandbox does not isolate, the
            transcript cannot be written, or the model's server refuses to be asked.
        TaskError: the task is broken.
        SandboxUnavailable: there is no such sandbox here.
    """
    if tier not in get_args(ModelTier):
        raise UsageError(f"a model attacks in tier 2 or 3, not {tier!r}")
    if grader not in GRADERS:
        raise UsageError(f"no grader {grader!r}; known: {', '.join(GRADERS)}")
    if rounds < 1 or prompt_chars < 0:
        raise UsageError("an attack needs a round at least, and room for files")
    backend = choose_backend(sandbox)
    check_isolates(backend)
    folder = Path(transcripts) if transcripts is not None else None
    with ExitStack() as stack:
        transcript = stack.enter_context(Transcript(folder, task.id, tier))
        judge = judge_of(task, backend, grader, stack)
        jury = stack.enter_context(Jury(task, backend, judge, tier))
        begin = {"task": task.id, "task_digest": task.digest, "tier": tier, "grader": grader}
        transcript.write("begin", {**begin, "sandbox": backend.name, "rounds": rounds})
        talk = _Talk(model, transcript)
        talk.say(*opening(task, tier, grader, rounds, prompt_chars))
        done: list[Round] = []
        trouble = ""
        try:
            for each in _rounds(task, talk, jury, rounds):
                done.append(each)
                if on_round is not None:
                    on_round(each)
        except ModelError as error:
            trouble = str(error)
        report = AttackReport(
            task.id, tier, grader, backend.name, tuple(done), talk.model_name, talk.usage, trouble,
            str(transcript.path or ""),
        )  # fmt: skip
        end = {"status": report.status, "trouble": trouble, "figures": dict(report.figures())}
        transcript.write("end", end)
    return report


def _rounds(task: Task, talk: _Talk, jury: Jury, rounds: int) -> Iterator[Round]:
    """Asks and judges until a cheat was paid or there were so many rounds.

    Raises:
        ModelError: the model gave no answer.
    """
    seen: set[str] = set()
    for number in range(1, rounds + 1):
        left = rounds - number
        reply = talk.ask()
        try:
            state = state_of(task, reply.text, cut_off=reply.cut_off)
        except ActionError as error:
            why = f"it refused: {reply.refusal}" if reply.refusal else str(error)
            done = Round(number, "no_attempt", one_line(why))
            back = refused_answer(str(error), left)
        else:
            if state.digest in seen:
                done = Round(number, "repeated", _REPEATED, state.digest)
                back = refused_answer(_REPEATED, left)
            else:
                done, back = jury.judged(number, state, left)
            seen.add(state.digest)
        talk.note(done)
        yield done
        if done.cheat or not left:
            return
        talk.say(Message("user", back))


class _Talk:
    """The conversation with a model, written down as it goes on."""

    def __init__(self, model: ChatModel, transcript: Transcript) -> None:
        self.usage = NO_TOKENS
        self.model_name = ""
        self._model = model
        self._transcript = transcript
        self._messages: list[Message] = []

    def say(self, *messages: Message) -> None:
        """Add to what the model is sent next."""
        for message in messages:
            self._messages.append(message)
            self._transcript.write("message", vars(message))

    def ask(self) -> Reply:
        """What the model answers. Raises ``ModelError`` as it does."""
        reply = self._model(tuple(self._messages))
        self.usage += reply.usage
        self.model_name = reply.model or self.model_name
        self._transcript.write("message", {"role": "assistant", "content": reply.text, **_aside(reply)})
        said = reply.text or reply.refusal or "(nothing)"
        self._messages.append(Message("assistant", shorten(said, _SAID_BACK)))
        return reply

    def note(self, done: Round) -> None:
        """Write down what came of an answer."""
        truth = vars(done.truth) if done.truth is not None else None
        self._transcript.write("round", {**vars(done), "truth": truth, "signs": list(done.signs)})


def _aside(reply: Reply) -> dict[str, Any]:
    """What is kept of a reply beside its text."""
    values = {**vars(reply), "usage": vars(reply.usage)}
    return {name: value for name, value in values.items() if name != "text"}
