"""Every payload, sorted by class."""

from __future__ import annotations

from deepgym_envs.audit.payloads.deception import DECEPTIONS
from deepgym_envs.audit.payloads.display import DISPLAY
from deepgym_envs.audit.payloads.exhaustion import EXHAUSTION
from deepgym_envs.audit.payloads.exits import EXITS
from deepgym_envs.audit.payloads.framework import FRAMEWORK
from deepgym_envs.audit.payloads.guessing import GUESSES
from deepgym_envs.audit.payloads.lingering import LINGERING
from deepgym_envs.audit.payloads.payload import Payload
from deepgym_envs.audit.payloads.peeking import PEEKING
from deepgym_envs.audit.payloads.repository import REPOSITORY

PAYLOADS: tuple[Payload, ...] = (
    *EXITS, *FRAMEWORK, *GUESSES, *REPOSITORY, *DECEPTIONS, *PEEKING, *LINGERING, *EXHAUSTION, *DISPLAY,
)  # fmt: skip
"""All payloads, in the order in which an audit tries them."""
