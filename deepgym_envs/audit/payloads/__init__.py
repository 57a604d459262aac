"""Cheats that solve nothing, as data: one file for each class of them."""

from deepgym_envs.audit.payloads.catalogue import PAYLOADS
from deepgym_envs.audit.payloads.payload import CLASSES, Letter, Payload

__all__ = ["CLASSES", "PAYLOADS", "Letter", "Payload"]
