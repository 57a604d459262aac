"""What is known of the states of an episode, as values."""

from __future__ import annotations

from dataclasses import dataclass

from deepgym_envs.statistics import wilson
from deepgym_envs.trajectory import Trajectory


@dataclass(frozen=True)
class Continuations:
    """What became of the episodes that went on from one state, of which ``state`` is the digest.

    Those that are ``masked`` met a failure of the infrastructure and count for nothing. A ``final`` state is
    where an episode ended: it has a verdict, and nothing went on from it.
    """

    state: str
    solved: int
    judged: int
    masked: int = 0
    final: bool = False

    @property
    def share(self) -> float | None:
        """Of the judged ones that solved the task, in [0, 1]; None if none was judged."""
        return self.solved / self.judged if self.judged else None

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of ``share`` (``statistics.wilson``); a final state's has no width."""
        if self.final and self.share is not None:
            return self.share, self.share
        return wilson(self.solved, self.judged)

    def label(self, threshold: float = 0.0) -> bool | None:
        """Whether ``share`` is above ``threshold``, in [0, 1); None if it is not known.

        With 0 it is the "hard estimation" of Math-Shepherd (Wang et al., arXiv:2312.08935, equation 3): a
        step is good if some continuation came to a good end.

        >>> Continuations("0" * 64, solved=1, judged=4).label(), Continuations("0" * 64, 1, 4).label(0.5)
        (True, False)

        Raises:
            ValueError: the threshold is out of range.
        """
        check_threshold(threshold)
        return None if self.share is None else self.share > threshold


@dataclass(frozen=True)
class LabelledEpisode:
    """An episode of n steps, with what became of each of its n + 1 states.

    ``start`` is the state before the first step, ``steps`` hold one for the state after each step, and
    ``policy`` names the agent that went on from them.
    """

    trajectory: Trajectory
    policy: str
    start: Continuations
    steps: tuple[Continuations, ...]

    @property
    def complete(self) -> bool:
        """Whether of each state something is known."""
        return all(one.judged for one in (self.start, *self.steps))

    @property
    def first_error(self) -> int | None:
        """The index of the earliest step after which nothing succeeds any more, while before it some did.

        -1 if there is none: the episode solved the task, or the policy can solve it from none of the states,
        which says nothing about the steps. None if the episode is not ``complete``. As in ProcessBench (Zheng
        et al., arXiv:2412.06559), from samples instead of people.

        A state from which no continuation succeeded is no error where a later one has some: it was bad luck.
        """
        if not self.complete:
            return None
        alive = [number for number, one in enumerate((self.start, *self.steps)) if one.solved]
        return alive[-1] if alive and alive[-1] < len(self.steps) else -1


def check_threshold(threshold: float) -> None:
    """``ValueError`` for what is no threshold of a share."""
    if not 0 <= threshold < 1:
        raise ValueError(f"threshold is {threshold}: expected a number in [0, 1)")
