"""What becomes of episodes that look like cheating."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeAlias, get_args

import gymnasium as gym
from gymnasium.utils import RecordConstructorArgs
from gymnasium.vector import VectorEnv

from deepgym_wrappers.bounds import choice, number
from deepgym_wrappers.episode_rule import Info, Moment, Told, masked_for
from deepgym_wrappers.episode_wrapper import EpisodeWrapper, VectorEpisodeWrapper

Screen: TypeAlias = Callable[[Info], bool]
"""Whether the ``info`` of a step looks like cheating."""
HackMode = Literal["penalty", "zero", "mask"]


def signs_in_verdict(info: Info) -> bool:
    """Whether the verdict's ``info["flags"]`` name a sign; those of flaky tests and stray files are none.

    >>> signs_in_verdict({"flags": ("flaky:tests/test_a.py::test_b", "sign:exit:a.py")})
    True

    Raises:
        ValueError: there are no flags.
    """
    if "flags" not in info:
        raise ValueError("there is no info['flags'], as a DeepGym environment has it; give a screen")
    return any(str(flag).startswith("sign:") for flag in info["flags"])


class _Verdict:
    term = "hack"

    def __init__(self, mode: HackMode, penalty: float, screen: Screen | None) -> None:
        choice("mode", mode, get_args(HackMode))
        if screen is not None and not callable(screen):
            raise ValueError(f"screen must be callable with info, not {screen!r}")
        self._mode = mode
        self._penalty = number("penalty", penalty, "above 0", lambda x: x > 0)
        self._screen = screen or signs_in_verdict
        self._flagged = False

    def begin(self, _observation: Any, info: Info) -> Info:
        self._flagged = False
        self._screen(info)  # so that one that cannot read such an info says so at once
        return {"flagged": False, **masked_for(info, "")}

    def step(self, moment: Moment) -> Told:
        self._flagged = self._flagged or bool(self._screen(moment.info))
        counts = self._flagged and moment.over and not moment.masked
        reason = "it was flagged as cheating" if counts and self._mode == "mask" else ""
        taken = self._taken(moment) if counts else 0.0
        return Told(-taken if taken else 0.0, {"flagged": self._flagged, **masked_for(moment.info, reason)})

    def _taken(self, moment: Moment) -> float:
        if self._mode == "zero":
            return max(0.0, moment.paid("terminal"))
        return self._penalty if self._mode == "penalty" else 0.0


class HackPenalty(EpisodeWrapper):
    """Makes flagged episodes cost something, pay nothing, or count for nothing.

    An episode is flagged if in one of its steps ``screen`` says so of ``info``. By default it asks for the
    signs in the verdict's ``info["flags"]``; ``lambda info: bool(info["signs"])`` asks ``HackScreen`` inside.
    What follows comes with the step that ends the episode:

    - ``penalty``: ``penalty`` is taken off the reward;
    - ``zero``: what the task paid (``terminal``, if it is above 0) is taken back, so that the episode earns
      what one earns that failed;
    - ``mask``: the reward stays, ``info["masked"]`` becomes True and ``info["mask_reason"]`` says why.

    ``info["flagged"]`` tells; ``info["reward_terms"]["hack"]`` is what was taken. Masked episodes are left
    alone.

    Which is right depends on the monitor. Let it flag a share h of the cheats and f of the honest successes.
    A cheat is then paid 1 - h * penalty and honest work 1 - f * penalty (``zero`` is a penalty of 1), while
    under ``mask`` what remains of both is paid 1. So with an exact monitor each works (Wong, Engels and Nanda
    saw so in "Steering RL Training", 2025). One that misses cheats needs ``penalty`` above 1 / h, for the
    cheats that a mask lets through are learnt from in full. One that accuses honest work needs ``mask``,
    which punishes nobody for it. All of them teach what is not flagged: look at what still passes.

    >>> import gymnasium as gym, deepgym_envs
    >>> from deepgym_envs.action import Submit, WriteFile
    >>> from deepgym_envs.testing import FakeBackend
    >>> task = deepgym_envs.load_suite("starter")[0]
    >>> made = gym.make("deepgym_envs/SWE-v0", task=task, sandbox=FakeBackend(), measure="never")
    >>> env = HackPenalty(made, "penalty", penalty=0.5)
    >>> _ = env.reset(seed=1)
    >>> _ = env.step(WriteFile(path="calends/__init__.py", content="import gc").encode())
    >>> _, reward, *_, info = env.step(Submit().encode())
    >>> reward, info["flagged"], info["reward_terms"]
    (-0.5, True, {'shaping': 0.0, 'terminal': 0.0, 'hack': -0.5})
    >>> env.close()

    Raises:
        ValueError: the mode is unknown, or the penalty not above 0; from ``reset`` and ``step`` also: there
        are
            no flags and no screen.
    """

    def __init__(
        self,
        env: gym.Env[Any, Any],
        mode: HackMode = "penalty",
        penalty: float = 1.0,
        screen: Screen | None = None,
    ) -> None:
        RecordConstructorArgs.__init__(
            self, _disable_deepcopy=True, mode=mode, penalty=penalty, screen=screen
        )
        EpisodeWrapper.__init__(self, env, _Verdict(mode, penalty, screen))


class VectorHackPenalty(VectorEpisodeWrapper):
    """``HackPenalty`` for a vector environment.

    >>> from deepgym_envs import load_suite, make_vec
    >>> from deepgym_envs.testing import FakeBackend
    >>> task = load_suite("starter")[0]
    >>> made = make_vec(task, 2, sandbox=FakeBackend(), vectorization_mode="sync", measure="never")
    >>> env = VectorHackPenalty(made, "mask", screen=lambda info: info["tool"] == "submit")
    >>> _ = env.reset(seed=1)
    >>> action = made.action_space.sample()
    >>> action["tool"][:] = (1, 6)  # list_files and submit
    >>> env.step(action)[4]["mask_reason"].tolist()
    ['', 'it was flagged as cheating']
    >>> env.close()
    """

    def __init__(
        self,
        env: VectorEnv[Any, Any, Any],
        mode: HackMode = "penalty",
        penalty: float = 1.0,
        screen: Screen | None = None,
    ) -> None:
        RecordConstructorArgs.__init__(
            self, _disable_deepcopy=True, mode=mode, penalty=penalty, screen=screen
        )
        VectorEpisodeWrapper.__init__(
            self, env, [_Verdict(mode, penalty, screen) for _ in range(env.num_envs)]
        )
