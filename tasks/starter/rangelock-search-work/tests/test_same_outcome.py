from __future__ import annotations

import random

import pytest

from rangelock import (
    ConflictError,
    PackageIndex,
    Version,
    WorkLimitExceeded,
    make_release,
    resolve,
)


def oracle(roots, releases, chosen=None):
    """The first complete choice by the rule in words, for plain requirements.

    ``releases`` maps a name to (major, {name: allowed majors}) pairs, latest
    first; ``roots`` maps names to allowed majors, in order.
    """
    chosen = chosen or {}
    order, limits = list(roots), {name: set(allowed) for name, allowed in roots.items()}
    for name in order:
        if name not in chosen:
            break
        for need, allowed in dict(releases[name])[chosen[name]].items():
            if need not in limits:
                order.append(need)
                limits[need] = set(allowed)
            limits[need] &= set(allowed)
    if any(major not in limits[name] for name, major in chosen.items()):
        return None
    open_names = [name for name in order if name not in chosen]
    if not open_names:
        return chosen
    name = open_names[0]
    for major, _ in releases[name]:
        if major in limits[name]:
            found = oracle(roots, releases, {**chosen, name: major})
            if found is not None:
                return found
    return None


def random_problem(seed):
    rng = random.Random(seed)
    names = [f"p{number}" for number in range(rng.randint(4, 6))]
    releases = {}
    for name in names:
        releases[name] = []
        for major in range(rng.randint(2, 3), 0, -1):
            needs = {}
            for other in rng.sample(names, rng.choice([0, 1, 1, 2])):
                if other != name:
                    needs[other] = sorted(rng.sample([1, 2, 3], rng.choice([1, 2, 2])))
            releases[name].append((major, needs))
    roots = {name: sorted(rng.sample([1, 2, 3], 2)) for name in rng.sample(names, 3)}
    return roots, releases


def solve(roots, releases):
    def text(name, allowed):
        return f"{name} " + " || ".join(f"={major}.0.0" for major in allowed)

    index = PackageIndex(
        make_release(name, f"{major}.0.0", [text(*need) for need in needs.items()])
        for name, found in releases.items()
        for major, needs in found
    )
    try:
        found = resolve([text(*root) for root in roots.items()], index)
    except ConflictError:
        return None
    return {name: int(version.partition(".")[0]) for name, version in found.versions().items()}


@pytest.mark.parametrize("start", [0, 100, 200, 300])
def test_first_solution(start):
    different = []
    solved = 0
    for seed in range(start, start + 100):
        roots, releases = random_problem(seed)
        expected = oracle(roots, releases)
        solved += expected is not None
        if solve(roots, releases) != expected:
            different.append(seed)
    assert different == []
    assert 20 < solved < 100


def test_later_decisions_between_culprits_matter():
    index = PackageIndex(
        [
            make_release("a", "2.0.0", ["d ^1 || ^2"]),
            make_release("a", "1.0.0", ["d ^3"]),
            make_release("b", "2.0.0", ["d ^1"]),
            make_release("b", "1.0.0", ["d ^2 || ^3"]),
            make_release("c", "1.0.0", ["d >=2"]),
            *(make_release("d", f"{major}.0.0") for major in (1, 2, 3)),
        ]
    )
    assert resolve(["a", "b", "c"], index).versions() == {
        "a": "2.0.0",
        "b": "1.0.0",
        "c": "1.0.0",
        "d": "2.0.0",
    }


def test_package_that_is_needed_because_of_a_decision():
    index = PackageIndex(
        [
            make_release("a", "2.0.0", ["broken"]),
            make_release("a", "1.0.0"),
            make_release("b", "1.0.0"),
            make_release("b", "2.0.0"),
            make_release("broken", "1.0.0", ["gone"]),
        ]
    )
    assert resolve(["a", "b"], index).versions() == {"a": "1.0.0", "b": "2.0.0"}


def test_extra_is_the_reason():
    releases = [
        make_release("a", "1.0.0", extras={"tls": ["d ^1"]}),
        make_release("x", "2.0.0", ["a[tls]"]),
        make_release("x", "1.0.0", ["a"]),
        make_release("n", "1.0.0"),
        make_release("n", "2.0.0"),
        make_release("z", "1.0.0", ["d ^2"]),
        make_release("d", "1.0.0"),
        make_release("d", "2.0.0"),
    ]
    for roots in (["a", "x", "n", "z"], ["x", "a", "n", "z"], ["n", "x", "z"]):
        assert resolve(roots, PackageIndex(releases)).versions() == {
            "a": "1.0.0",
            "d": "2.0.0",
            "n": "2.0.0",
            "x": "1.0.0",
            "z": "1.0.0",
        }


def test_missing_extra_is_the_reason():
    index = PackageIndex(
        [
            make_release("a", "2.0.0"),
            make_release("a", "1.0.0", extras={"tls": []}),
            make_release("n", "1.0.0"),
            make_release("n", "2.0.0"),
            make_release("z", "1.0.0", ["a[tls]"]),
        ]
    )
    found = resolve(["a", "n", "z"], index)
    assert found.versions() == {"a": "1.0.0", "n": "2.0.0", "z": "1.0.0"}
    assert found.packages[0].extras == ("tls",)


def test_preferred_and_yanked():
    index = PackageIndex(
        [
            make_release("a", "3.0.0", ["b ^2"]),
            make_release("a", "2.0.0", ["b ^1"], yanked=True),
            make_release("a", "1.0.0", ["b ^1"]),
            make_release("n", "1.0.0"),
            make_release("b", "1.0.0"),
            make_release("b", "2.0.0"),
        ]
    )
    assert resolve(["a", "n", "b <2"], index).versions() == {"a": "1.0.0", "b": "1.0.0", "n": "1.0.0"}
    preferred = {"a": Version.parse("2.0.0")}
    found = resolve(["a", "n", "b"], index, preferred=preferred)
    assert found.versions() == {"a": "2.0.0", "b": "1.0.0", "n": "1.0.0"}


def test_first_dead_end_is_described():
    index = PackageIndex(
        [
            make_release("a", "2.0.0", ["b ^5"]),
            make_release("a", "1.0.0", ["c"]),
            make_release("b", "1.0.0"),
        ]
    )
    with pytest.raises(ConflictError) as caught:
        resolve(["a"], index)
    assert str(caught.value) == "no release of b fits:\n  b ^5 (a 2.0.0)"


def test_dead_end_behind_others():
    index = PackageIndex(
        [
            make_release("a", "1.0.0"),
            make_release("n", "1.0.0"),
            make_release("n", "2.0.0"),
            make_release("z", "1.0.0", ["a ^2"]),
            make_release("z", "2.0.0", ["n ^3"]),
        ]
    )
    with pytest.raises(ConflictError) as caught:
        resolve(["a", "n", "z"], index)
    assert str(caught.value) == (
        "no release of z fits:\n"
        "  z * (root)\n"
        "  z 2.0.0: n ^3 (z 2.0.0) clashes with the chosen n 2.0.0\n"
        "  z 1.0.0: a ^2 (z 1.0.0) clashes with the chosen a 1.0.0"
    )


def test_limit_counts_candidates():
    index = PackageIndex(
        [make_release("a", "1.0.0", ["b"]), make_release("b", "1.0.0", ["c"]), make_release("c", "1.0.0")]
    )
    found = resolve(["a"], index, max_steps=3)
    assert found.steps == 3
    with pytest.raises(WorkLimitExceeded) as caught:
        resolve(["a"], index, max_steps=2)
    assert caught.value.max_steps == 2
    assert str(caught.value) == "gave up after examining 2 candidates"
