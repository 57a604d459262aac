"""A memory keeps the first result, forgets the oldest, and may be asked by many at once."""

from __future__ import annotations

import threading

from deepgym_envs import Memory

KEY = ("task", "state", "what")


def test_the_first_result_stays() -> None:
    memory = Memory()
    assert memory.get(KEY, int) is None
    assert memory.keep(KEY, 1) == 1
    assert memory.keep(KEY, 2) == 1
    assert memory.get(KEY, int) == 1
    assert memory.get(KEY, str) is None


def test_the_one_that_was_asked_for_longest_ago_is_forgotten() -> None:
    memory = Memory(2)
    for number in range(2):
        memory.keep(("t", str(number), "w"), number)
    memory.get(("t", "0", "w"), int)
    memory.keep(("t", "2", "w"), 2)
    assert len(memory) == 2
    assert [memory.get(("t", str(number), "w"), int) for number in range(3)] == [0, None, 2]


def test_many_threads_agree() -> None:
    memory = Memory()
    kept: list[int] = []
    threads = [
        threading.Thread(target=lambda number=number: kept.append(memory.keep(KEY, number)))
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(kept)) == 1
