"""What a store can tell about itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Counters:
    """What has happened since the store was opened."""

    hits: int = 0
    misses: int = 0
    writes: int = 0
    deletions: int = 0
    evictions: int = 0
    expirations: int = 0
    compactions: int = 0


@dataclass(frozen=True)
class Stats:
    """The counters at one moment, and the size of the store then.

    ``payload_bytes`` counts keys and values, ``disk_bytes`` whole segment files,
    ``dead_bytes`` records in them that do not hold current values and ``cut_bytes``
    the torn tail that was found when the store was opened.
    """

    hits: int
    misses: int
    writes: int
    deletions: int
    evictions: int
    expirations: int
    compactions: int
    keys: int
    payload_bytes: int
    segments: int
    disk_bytes: int
    dead_bytes: int
    cut_bytes: int

    @property
    def hit_rate(self) -> float:
        """The share of reads that found their key; 0.0 before the first."""
        reads = self.hits + self.misses
        return self.hits / reads if reads else 0.0
