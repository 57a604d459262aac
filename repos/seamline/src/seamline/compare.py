"""The shortest way from one sequence of lines to another."""

from __future__ import annotations

from typing import Dict, List, NamedTuple, Sequence, Tuple

from .folding import EXACT, Folding


class Change(NamedTuple):
    """Lines ``old_start:old_end`` became lines ``new_start:new_end``; one of the two may be empty."""

    old_start: int
    old_end: int
    new_start: int
    new_end: int


def compare(old: Sequence[str], new: Sequence[str], folding: Folding = EXACT) -> List[Change]:
    """The changes that lead from *old* to *new*, in order, with something unchanged between any two."""
    old_keys, new_keys = folding.keys(old), folding.keys(new)
    head = _common_head(old_keys, new_keys)
    tail = _common_head(old_keys[head:][::-1], new_keys[head:][::-1])
    old_stop, new_stop = len(old) - tail, len(new) - tail
    pairs = _shortest_path(old_keys[head:old_stop], new_keys[head:new_stop])
    changes: List[Change] = []
    old_at = new_at = head
    for old_index, new_index in [(a + head, b + head) for a, b in pairs] + [(old_stop, new_stop)]:
        if old_index > old_at or new_index > new_at:
            changes.append(Change(old_at, old_index, new_at, new_index))
        old_at, new_at = old_index + 1, new_index + 1
    return changes


def _common_head(first: Sequence[str], second: Sequence[str]) -> int:
    count = 0
    for left, right in zip(first, second):
        if left != right:
            break
        count += 1
    return count


def _shortest_path(old: Sequence[str], new: Sequence[str]) -> List[Tuple[int, int]]:
    """The pairs of equal lines on a shortest edit path, after Myers.

    ``reached[k]`` is how far into *old* a path with the present number of edits
    gets on the diagonal ``k = old index - new index``.
    """
    reached: Dict[int, int] = {1: 0}
    history: List[Dict[int, int]] = []
    for edits in range(len(old) + len(new) + 1):
        history.append(dict(reached))
        for k in range(-edits, edits + 1, 2):
            down = k == -edits or (k != edits and reached[k - 1] < reached[k + 1])
            x = reached[k + 1] if down else reached[k - 1] + 1
            while x < len(old) and x - k < len(new) and old[x] == new[x - k]:
                x += 1
            reached[k] = x
            if x >= len(old) and x - k >= len(new):
                return _walk_back(history, len(old), len(new))
    raise AssertionError("two sequences are never further apart than their lengths")


def _walk_back(history: List[Dict[int, int]], x: int, y: int) -> List[Tuple[int, int]]:
    pairs: List[Tuple[int, int]] = []
    for edits in range(len(history) - 1, -1, -1):
        reached, k = history[edits], x - y
        down = k == -edits or (k != edits and reached[k - 1] < reached[k + 1])
        previous_k = k + 1 if down else k - 1
        previous_x = reached[previous_k]
        snake_start = previous_x if down else previous_x + 1
        while x > snake_start:
            x, y = x - 1, y - 1
            pairs.append((x, y))
        x, y = previous_x, previous_x - previous_k
    return pairs[::-1]
