"""A verdict as a signed record: who holds the key can check it years later, and grade again.

The record holds what the box claimed and the secret that the tests were drawn from. So the reason can be
computed again on any host, without a box (``agrees``), and the same tests can be run again (``regrade``).
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import get_args

from deepgym_envs.grade.claim import Claim
from deepgym_envs.grade.clean_box import Unusable
from deepgym_envs.grade.deck import SecretRandom, deck_of
from deepgym_envs.grade.grader import Grader
from deepgym_envs.grade.key import code_digest
from deepgym_envs.grade.verdict import Reason, Verdict, judge
from deepgym_envs.state import WorkspaceState
from deepgym_envs.strict_json import read_json, write_json
from deepgym_envs.task import Task
from deepgym_envs.trajectory import Trajectory

_DIGITS = 64  # of the signature


@dataclass(frozen=True)
class Evidence:
    """One grading: of what, where, what was claimed, and what followed.

    ``state`` is the digest of the part that was judged. ``version`` names the package and, after ``+``, its
    grading code, on which the draw depends. ``patch`` and ``episode`` are SHA-256 digests of a trajectory's
    patch and of all of it, empty for a verdict outside of an episode.
    """

    task: str
    task_digest: str
    state: str
    sandbox: str
    claim: Claim
    reason: Reason
    reward: float
    forge_probability: float
    version: str
    patch: str = ""
    episode: str = ""

    def of_episode(self, trajectory: Trajectory) -> Evidence:
        """The same, as the evidence of ``trajectory``, which ended with this verdict."""
        patch = hashlib.sha256(trajectory.patch.encode("utf-8", "surrogateescape")).hexdigest()
        return replace(self, patch=patch, episode=trajectory.digest)

    def to_json(self) -> str:
        """One line of ASCII; ``from_json`` takes it back."""
        return write_json("evidence", {**vars(self), "claim": vars(self.claim)})

    @classmethod
    def from_json(cls, text: str) -> Evidence:
        """The evidence that ``to_json`` wrote.

        Raises:
            ValueError: it is none, or not as ``to_json`` writes it.
        """
        match read_json(text, "evidence"):
            case {
                "task": str(task), "task_digest": str(digest), "state": str(state), "sandbox": str(sandbox),
                "claim": dict(claim), "reason": str(reason), "reward": float(reward),
                "forge_probability": float(forged), "version": str(made), "patch": str(patch),
                "episode": str(episode), **rest,
            } if (
                not rest
                and reason in get_args(Reason)
                and reward == float(reason == "passed")
                and 0.0 <= forged <= 1.0
            ):  # fmt: skip
                found = cls(
                    task, digest, state, sandbox, Claim.from_plain(claim), reason,  # type: ignore[arg-type]
                    reward, forged, made, patch, episode,
                )  # fmt: skip
                if found.to_json() == text:
                    return found
        raise ValueError("this is not the evidence of a grading")


def evidence_of(verdict: Verdict, task: Task, state: WorkspaceState, sandbox: str) -> Evidence:
    """The evidence of ``verdict`` on ``state``, found by a grader of ``task`` in boxes of ``sandbox``.

    Raises:
        ValueError: the verdict is not on that state, or has no claim, as only those of a grader have.
    """
    if verdict.claim is None or (verdict.task, verdict.state) != (task.id, state.digest):
        raise ValueError(f"this verdict is no grader's of this state of {task.id}")
    return Evidence(
        task.id, task.digest, state.only(task.may_edit).digest, sandbox, verdict.claim, verdict.reason,
        verdict.reward, verdict.forge_probability, grading_version(),
    )  # fmt: skip


def sign(evidence: Evidence, key: bytes) -> str:
    """The evidence and its HMAC-SHA256 as one line of ASCII.

    >>> line = sign(Evidence("a/b", "", "", "fake", Claim("0" * 64), "box_lost", 0.0, 1.0, ""), b"k" * 32)
    >>> check(line, b"k" * 32).reason
    'box_lost'
    """
    text = evidence.to_json()
    return f"{text} {_signature(text, key)}"


def check(text: str, key: bytes) -> Evidence:
    """The evidence of which ``sign`` made ``text`` with the same ``key``.

    Raises:
        ValueError: there is none: a character was changed, or the key is another.
    """
    said, space, signature = text[: -_DIGITS - 1], text[-_DIGITS - 1 : -_DIGITS], text[-_DIGITS:]
    good = text.isascii() and hmac.compare_digest(signature, _signature(said, key))
    if not good or space != " ":
        raise ValueError(
            "the signature is not that of this key; the record was changed, or the key is another"
        )
    return Evidence.from_json(said)


def agrees(evidence: Evidence, task: Task) -> bool:
    """Whether its reason and its odds follow from its seed and its vector, computed again for ``task``."""
    claim = evidence.claim
    draw = deck_of(task).draw(SecretRandom(bytes.fromhex(claim.seed)))
    if evidence.forge_probability != draw.forge_probability:
        return False
    if evidence.reason in get_args(Unusable):
        return not claim.vector  # the host saw that no run came to its end
    try:
        return judge(draw.demands, *claim.told(draw.nodes)) == evidence.reason
    except ValueError:
        return False


def regrade(evidence: Evidence, state: WorkspaceState, grader: Grader) -> Verdict:
    """What ``grader`` says now of ``state``, by the draw of ``evidence``; an oracle draws new inputs.

    Raises:
        ValueError: ``state`` is not what was judged.
        SandboxError: as for ``Grader.grade``.
    """
    if grader.judged_part(state).digest != evidence.state:
        raise ValueError("this is not the state that was judged")
    return grader.again(state, bytes.fromhex(evidence.claim.seed))


@cache
def grading_version() -> str:
    """What ``Evidence.version`` is of verdicts that are found out by this code."""
    try:
        return f"{version('deepgym-envs')}+{code_digest()}"
    except PackageNotFoundError:  # run from its source, not installed
        return f"0+{code_digest()}"


def _signature(text: str, key: bytes) -> str:
    return hmac.new(key, text.encode("ascii", "replace"), hashlib.sha256).hexdigest()
