"""Agents that do no work gain nothing, whatever they do with step rewards."""

from __future__ import annotations

import pytest

from deepgym_envs import Task
from deepgym_envs.audit import POLICIES, Policy
from deepgym_envs.audit.policies import play
from deepgym_envs.sandbox import Backend

from ..tiny import make_tiny  # noqa: TID252
from .place import prey, somewhere

FIXTURES = (make_tiny, prey, somewhere)


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
def test_a_lazy_policy_ends_unpaid(policy: Policy, prey: Task, somewhere: Backend) -> None:
    played = play(prey, somewhere, policy)
    assert played.terminal == 0.0
    assert played.first_potential == pytest.approx(2 / 3)
    assert played.shaping == pytest.approx(-played.first_potential, abs=1e-12)


def test_a_policy_without_an_end_uses_all_its_steps(prey: Task, somewhere: Backend) -> None:
    loiter = next(policy for policy in POLICIES if policy.name == "loiter")
    assert play(prey, somewhere, loiter).steps == prey.limits.steps
