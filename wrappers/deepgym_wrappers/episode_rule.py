"""What a wrapper makes of the steps of an episode: written once, for one environment and for many."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from deepgym_wrappers.bounds import number

Info = Mapping[str, Any]


@dataclass(frozen=True)
class Moment:
    """One step: what was done, and what the environment inside said of it."""

    action: Any
    observation: Any
    reward: float
    terminated: bool
    truncated: bool
    info: Info

    @property
    def over(self) -> bool:
        """Whether the episode ends here."""
        return self.terminated or self.truncated

    @property
    def masked(self) -> bool:
        """Whether the sample says nothing about the agent."""
        return bool(self.info.get("masked", False))

    def paid(self, term: str) -> float:
        """What the step paid under a name of ``info["reward_terms"]``.

        Where an environment names no ``terminal``, that is its reward for the step that ends the episode.

        Raises:
            ValueError: there is no such term.
        """
        terms = _terms(self.info, self.reward)
        if term in terms:
            return terms[term]
        if term == "terminal":
            return terms.get("environment", self.reward) if self.over else 0.0
        raise ValueError(f"no reward term is called {term!r}; there are {', '.join(terms)}")


@dataclass(frozen=True)
class Told:
    """What a wrapper adds to a step: to its reward, and to its ``info``."""

    reward: float = 0.0
    info: Info = field(default_factory=dict)


class EpisodeRule(Protocol):
    """Follows one episode at a time; a vector has one rule for each environment.

    ``term`` is the name in ``info["reward_terms"]`` of what it adds to rewards, empty if it adds nothing
    ever.
    """

    @property
    def term(self) -> str:
        """See above."""

    def begin(self, observation: Any, info: Info, /) -> Info:
        """Forget the episode before, finished or not; what to add to the ``info`` of the reset."""

    def step(self, moment: Moment, /) -> Told:
        """What to add to a step; the keys of its ``info`` are those of ``begin``."""


def begun(rule: EpisodeRule, observation: Any, info: Info) -> dict[str, Any]:
    """What ``rule`` adds to the ``info`` of a reset."""
    return {**rule.begin(observation, info), **_named(rule, info, 0.0, 0.0)}


def stepped(rule: EpisodeRule, moment: Moment) -> tuple[float, dict[str, Any]]:
    """The reward of a step under ``rule``, and what it adds to its ``info``.

    Raises:
        ValueError: a reward is not finite.
    """
    told = rule.step(moment)
    added = number(f"what {rule.term or 'a rule'} adds to a reward", told.reward)
    return moment.reward + added, {**told.info, **_named(rule, moment.info, moment.reward, added)}


def masked_for(info: Info, reason: str) -> dict[str, Any]:
    """The entries of ``info`` that mask a sample for ``reason``; an empty one leaves it as it is."""
    earlier = str(info.get("mask_reason", ""))
    return {
        "masked": bool(info.get("masked", False)) or bool(reason),
        "mask_reason": "; ".join(part for part in (earlier, reason) if part),
    }


def _named(rule: EpisodeRule, info: Info, reward: float, added: float) -> dict[str, Any]:
    if not rule.term:
        return {}
    terms = _terms(info, reward)
    return {"reward_terms": {**terms, rule.term: terms.get(rule.term, 0.0) + added}}


def _terms(info: Info, reward: float) -> dict[str, float]:
    """The named terms of ``info``; all of the reward is ``environment`` where there are none."""
    terms = info.get("reward_terms", {"environment": reward})
    if not isinstance(terms, Mapping):
        raise ValueError(f"info['reward_terms'] must map names to numbers, not be {type(terms).__name__}")
    return {str(name): number(f"info['reward_terms'][{name!r}]", value) for name, value in terms.items()}
