from __future__ import annotations

import pytest

from rangelock import (
    ConflictError,
    PackageIndex,
    loads,
    make_release,
    resolve,
    update_lock,
)

LIMIT = 3000


class CountingIndex(PackageIndex):
    """Counts the look-ups, and refuses to go on for ever."""

    calls = 0

    def releases(self, name):
        self.calls += 1
        assert self.calls <= 4 * LIMIT, "too many look-ups"
        return super().releases(name)


def build(lines, fillers=(), majors=4):
    """An index of lines such as ``"a 1.0.0: b ^1; c"`` and of filler packages."""
    index = CountingIndex()
    for line in lines:
        head, _, needs = line.partition(":")
        name, version = head.split()
        index.add(make_release(name, version, [n for n in needs.split(";") if n.strip()]))
    for name in fillers:
        for major in range(1, majors + 1):
            index.add(make_release(name, f"{major}.0.0"))
    return index


def names(prefix, count):
    return [f"{prefix}{number}" for number in range(count)]


def without(versions, prefixes):
    return {name: version for name, version in versions.items() if name[0] not in prefixes}


def test_two_opponents_far_apart():
    fillers = names("f", 30)
    index = build(
        ["x 3.0.0: y ^1", "x 2.0.0: y ^1", "x 1.0.0", "y 1.0.0", "y 2.0.0", "z 1.0.0: y ^2"], fillers
    )
    found = resolve(["x", *fillers, "z"], index, max_steps=LIMIT)
    assert without(found.versions(), "f") == {"x": "1.0.0", "y": "2.0.0", "z": "1.0.0"}
    assert {found.versions()[name] for name in fillers} == {"4.0.0"}


def test_default_limit():
    fillers = names("f", 12)
    index = build(["x 2.0.0: y ^1", "x 1.0.0", "y 1.0.0", "y 2.0.0", "z 1.0.0: y ^2"], fillers)
    found = resolve(["x", *fillers, "z"], index)
    assert found.versions()["x"] == "1.0.0"


def test_conflict_behind_a_chain():
    fillers = names("f", 15)
    more = names("g", 10)
    lines = ["x 2.0.0: y ^1", "x 1.0.0", "y 1.0.0", "y 2.0.0"]
    for major in range(1, 5):
        lines.append(f"z {major}.0.0: w")
        lines.append(f"w {major}.0.0: v")
        lines.append(f"v {major}.0.0: y ^2")
    found = resolve(["x", *fillers, "z", *more], build(lines, fillers + more), max_steps=LIMIT)
    assert without(found.versions(), "fg") == {
        "v": "4.0.0",
        "w": "4.0.0",
        "x": "1.0.0",
        "y": "2.0.0",
        "z": "4.0.0",
    }
    assert {found.versions()[name] for name in more} == {"4.0.0"}


def test_no_solution():
    fillers = names("f", 20)
    lines = ["x 2.0.0: y ^1", "x 1.0.0: y ^1", "y 1.0.0", "y 2.0.0", "z 1.0.0: y ^2", "z 2.0.0: y >1"]
    with pytest.raises(ConflictError) as caught:
        resolve(["x", *fillers, "z"], build(lines, fillers), max_steps=LIMIT)
    assert str(caught.value) == (
        "no release of y fits:\n  y ^1 (x 2.0.0)\n  y >1 (z 2.0.0)"
    )


def test_no_solution_names_the_first_dead_end():
    fillers = names("f", 20)
    index = build(["x 2.0.0", "x 1.0.0", "z 2.0.0: w", "z 1.0.0: w", "w 1.0.0: gone"], fillers)
    with pytest.raises(ConflictError) as caught:
        resolve(["x", *fillers, "z"], index, max_steps=LIMIT)
    assert str(caught.value) == "no package named gone:\n  gone * (w 1.0.0)"
    assert caught.value.conflict.known is False


def test_two_quarrels_at_once():
    fillers, more = names("f", 12), names("g", 12)
    lines = ["p 2.0.0: q ^1", "p 1.0.0: q ^2", "x 2.0.0: y ^1", "x 1.0.0: y ^2"]
    lines += ["q 1.0.0", "q 2.0.0", "y 1.0.0", "y 2.0.0"]
    lines += ["r 1.0.0: q ^2", "z 1.0.0: y ^2"]
    index = build(lines, fillers + more)
    found = resolve(["p", "x", *fillers, "z", *more, "r"], index, max_steps=LIMIT)
    assert without(found.versions(), "fg") == {
        "p": "1.0.0",
        "q": "2.0.0",
        "r": "1.0.0",
        "x": "1.0.0",
        "y": "2.0.0",
        "z": "1.0.0",
    }


def extras_index(fillers):
    index = build(["d 1.0.0", "d 2.0.0", "z 1.0.0: d ^2", "u 1.0.0"], fillers)
    index.add(make_release("a", "1.0.0", extras={"tls": ["d ^1"], "log": []}))
    index.add(make_release("x", "2.0.0", ["a[tls]"]))
    index.add(make_release("x", "1.0.0", ["a[log]"]))
    return index


def test_extra_asked_for_later():
    fillers, more = names("f", 12), names("g", 12)
    index = extras_index(fillers + more)
    found = resolve(["a", *fillers, "x", *more, "z"], index, max_steps=LIMIT)
    assert without(found.versions(), "fg") == {"a": "1.0.0", "d": "2.0.0", "x": "1.0.0", "z": "1.0.0"}


def test_extra_asked_for_before():
    fillers, more = names("f", 12), names("g", 12)
    index = extras_index(fillers + more)
    index.add(make_release("b", "1.0.0", ["a"]))
    found = resolve(["x", *fillers, "b", *more, "z"], index, max_steps=LIMIT)
    assert without(found.versions(), "fg") == {
        "a": "1.0.0",
        "b": "1.0.0",
        "d": "2.0.0",
        "x": "1.0.0",
        "z": "1.0.0",
    }


def test_update_of_a_lock():
    fillers = names("f", 20)
    index = build(["a 2.0.0: y ^1", "a 1.0.0", "y 1.0.0", "y 2.0.0", "z 1.0.0", "z 2.0.0: y ^2"], fillers)
    roots = "".join(f"root {name}\n" for name in ["a", *fillers, "z >=2"])
    locked = "".join(f"package {name} 3.0.0\n" for name in fillers)
    lock = loads(f"# rangelock 1\n{roots}{locked}package a 2.0.0\npackage y 1.0.0\npackage z 1.0.0\n")
    updated = update_lock(lock, index, ["z"], max_steps=LIMIT).versions()
    assert without(updated, "f") == {"a": "1.0.0", "y": "2.0.0", "z": "2.0.0"}
    assert {updated[name] for name in fillers} == {"3.0.0"}


def test_constraint_in_the_way():
    fillers = names("f", 20)
    lines = ["x 2.0.0: m", "x 1.0.0", "m 1.0.0: y ^1", "y 1.0.0", "y 2.0.0", "z 1.0.0: y"]
    index = build(lines, fillers)
    found = resolve(["x", *fillers, "z"], index, constraints=["y ^2"], max_steps=LIMIT)
    assert without(found.versions(), "f") == {"x": "1.0.0", "y": "2.0.0", "z": "1.0.0"}
