"""Candidates that are given up leave no trace."""

from __future__ import annotations

import random

import pytest

from rangelock import (
    ConflictError, PackageIndex, Version, dumps, loads, lock_from_resolution, make_release, resolve, update_lock, verify_lock, why,
)


def index_of(text):
    """Releases from lines such as ``a 1.0.0: b ^1, c | x: d, e | y: f``."""
    index = PackageIndex()
    for line in filter(str.strip, text.splitlines()):
        head, *parts = line.split("|")
        start, _, needs = head.partition(":")
        extras = {part.partition(":")[0].strip(): items(part.partition(":")[2]) for part in parts}
        index.add(make_release(*start.split(), items(needs), extras))
    return index


def items(text):
    return [item.strip() for item in text.split(";") if item.strip()]


def shape(found):
    """Version, extras and what is required, for each package."""
    return {
        item.release.name: (str(item.release.version), item.extras, tuple(need.name for need in item.requires))
        for item in found.packages
    }


BASE = """
app 1.0.0 | fast: wheel | safe: lock | web: net
wheel 1.0.0
lock 1.0.0
net 1.0.0
old 1.0.0
"""


def test_extra_before_the_one_in_force():
    index = index_of(BASE + "plug 2.0.0: app[fast]; old ^2\nplug 1.0.0")
    assert shape(resolve(["app[web]", "old", "plug"], index)) == {
        "app": ("1.0.0", ("web",), ("net",)), "net": ("1.0.0", (), ()), "old": ("1.0.0", (), ()), "plug": ("1.0.0", (), ()),
    }


def test_extra_between_those_in_force():
    index = index_of(BASE + "plug 2.0.0: app[safe]; old ^2\nplug 1.0.0")
    found = shape(resolve(["app[web,fast]", "old", "plug"], index))
    assert found["app"] == ("1.0.0", ("fast", "web"), ("wheel", "net"))
    assert sorted(found) == ["app", "net", "old", "plug", "wheel"]


def test_two_extras_at_once():
    index = index_of(BASE + "plug 2.0.0: app[fast,web]; old ^2\nplug 1.0.0")
    assert shape(resolve(["app[safe]", "old", "plug"], index))["app"] == ("1.0.0", ("safe",), ("lock",))


def test_several_candidates_are_given_up():
    index = index_of(BASE + "plug 4.0.0: app[fast]; old ^2\nplug 3.0.0: app[safe]; old ^2\nplug 2.0.0: app[safe,fast]; old ^3\nplug 1.0.0")
    found = shape(resolve(["app[web]", "old", "plug"], index))
    assert found["app"] == ("1.0.0", ("web",), ("net",))
    assert found["plug"] == ("1.0.0", (), ())


def test_extra_that_is_asked_for_again():
    index = index_of(BASE + "plug 2.0.0: app[fast]; old ^2\nplug 1.0.0\nlate 1.0.0: app[fast]")
    assert shape(resolve(["app[web]", "old", "plug", "late"], index)) == {
        "app": ("1.0.0", ("fast", "web"), ("wheel", "net")), "late": ("1.0.0", (), ("app",)), "net": ("1.0.0", (), ()),
        "old": ("1.0.0", (), ()), "plug": ("1.0.0", (), ()), "wheel": ("1.0.0", (), ()),
    }


def test_extra_that_the_next_candidate_asks_for_too():
    index = index_of(BASE + "plug 2.0.0: app[fast]; old ^2\nplug 1.0.0: app[fast]")
    found = resolve(["app[web]", "old", "plug"], index)
    assert found.versions() == {
        "app": "1.0.0", "net": "1.0.0", "old": "1.0.0", "plug": "1.0.0", "wheel": "1.0.0"}


def test_limit_of_an_extra_that_is_asked_for_again():
    index = index_of("""
        app 1.0.0 | fast: wheel <2 | web: net
        wheel 1.0.0
        wheel 2.0.0
        net 1.0.0
        old 1.0.0
        plug 2.0.0: app[fast]; old ^2
        plug 1.0.0
        late 1.0.0: app[fast]; wheel
    """)
    assert resolve(["app[web]", "old", "plug", "late"], index).versions()["wheel"] == "1.0.0"


def test_back_over_several_packages():
    index = index_of(BASE + """
        plug 2.0.0: app[fast]; mid
        plug 1.0.0
        mid 1.0.0: app[safe]; far
        far 1.0.0: end
        end 1.0.0: old ^2
    """)
    assert shape(resolve(["app[web]", "old", "plug"], index)) == {
        "app": ("1.0.0", ("web",), ("net",)), "net": ("1.0.0", (), ()), "old": ("1.0.0", (), ()), "plug": ("1.0.0", (), ()),
    }


def test_unrelated_packages_in_between():
    index = index_of(BASE + """
        plug 2.0.0: app[fast]; tail ^2
        plug 1.0.0: app[safe]
        f 1.0.0: app[fast]
        f 2.0.0: app[safe]
        g 1.0.0
        tail 1.0.0
        tail 2.0.0: old ^2
    """)
    found = resolve(["app[web]", "old", "plug", "f", "g"], index)
    assert shape(found)["app"] == ("1.0.0", ("safe", "web"), ("lock", "net"))
    assert found.versions() == {
        "app": "1.0.0", "f": "2.0.0", "g": "1.0.0", "lock": "1.0.0", "net": "1.0.0", "old": "1.0.0", "plug": "1.0.0"}


def test_extra_that_brings_in_an_extra():
    index = index_of(BASE + "tool 1.0.0 | boost: app[fast] | zip: lock\nplug 2.0.0: tool[boost]; old ^2\nplug 1.0.0")
    found = shape(resolve(["app[web]", "tool[zip]", "old", "plug"], index))
    assert (found["app"], found["tool"]) == (("1.0.0", ("web",), ("net",)), ("1.0.0", ("zip",), ("lock",)))


def test_package_itself_decided_again():
    index = index_of("""
        app 2.0.0 | fast: wheel ^2 | web: net
        app 1.0.0 | fast: wheel ^1 | web: net
        net 1.0.0
        wheel 1.0.0
        plug 1.0.0: app[fast]
        old 1.0.0
    """)
    assert shape(resolve(["app[web]", "plug"], index))["app"] == ("1.0.0", ("fast", "web"), ("wheel", "net"))


def test_written_lock():
    index = index_of("""
        mill 5.0.0 | wind: sail; vane | dam: pond | gear: cog
        sail 3.1.0
        vane 1.0.0
        pond 2.0.0
        cog 1.0.0
        baker 2.0.0: mill[gear]; oven ^2
        baker 1.0.0
        oven 1.4.0
    """)
    lock = lock_from_resolution(resolve(["oven", "mill[wind,dam]", "baker"], index))
    assert dumps(lock) == (
        "# rangelock 1\nroot baker *\nroot mill[dam,wind] *\nroot oven *\n\npackage baker 1.0.0\n"
        "package mill 5.0.0\n  extras dam wind\n  requires pond *\n  requires sail *\n  requires vane *\n"
        "package oven 1.4.0\npackage pond 2.0.0\npackage sail 3.1.0\npackage vane 1.0.0\n")
    assert (why(lock, "vane"), verify_lock(lock, index)) == (("mill", "vane"), [])


def test_update_of_a_lock():
    index = index_of(BASE + "plug 1.0.0: app[web]")
    lock = lock_from_resolution(resolve(["app[safe]", "old", "plug"], index))
    index.add(make_release("plug", "2.0.0", ["app[fast]", "old ^2"]))
    assert update_lock(lock, index, ["plug"]) == lock
    assert lock.get("app").extras == ("safe", "web")
    assert loads(dumps(lock)) == lock


def test_preferred_version_that_is_given_up():
    index = index_of(BASE + "plug 1.0.0: app[fast]; old ^2\nplug 2.0.0")
    found = resolve(["app[web]", "old", "plug"], index, preferred={"plug": Version.parse("1.0.0")})
    assert shape(found)["app"] == ("1.0.0", ("web",), ("net",))
    assert found.versions()["plug"] == "2.0.0"


def test_constraint_is_the_reason():
    index = index_of(BASE + "plug 2.0.0: app[fast]; tail\nplug 1.0.0\ntail 2.0.0")
    found = resolve(["app[web]", "plug"], index, constraints=["tail <2"])
    assert shape(found) == {"app": ("1.0.0", ("web",), ("net",)), "net": ("1.0.0", (), ()), "plug": ("1.0.0", (), ())}


def conflict_of(roots, index, **options):
    with pytest.raises(ConflictError) as caught:
        resolve(roots, index, **options)
    return caught.value.conflict


def test_conflict_without_demands_of_the_rejected():
    index = index_of("ring 1.0.0 | seal: gem ^2\ngem 1.0.0: ring[seal]\ngem 1.1.0: ring[seal]")
    conflict = conflict_of(["ring", "gem"], index)
    assert [str(demand) for demand in conflict.demands] == ["gem * (root)"]
    assert [str(rejection.candidate) for rejection in conflict.rejections] == ["gem 1.1.0", "gem 1.0.0"]


def test_conflict_of_a_package_that_wants_another_of_itself():
    conflict = conflict_of(["solo <9"], index_of("solo 1.0.0: solo >=2"))
    assert conflict.explain() == (
        "no release of solo fits:\n  solo <9 (root)\n"
        "  solo 1.0.0: solo >=2 (solo 1.0.0) clashes with the chosen solo 1.0.0")


def test_conflict_lists_constraints_after_its_demands():
    index = index_of("ring 1.0.0 | seal: gem ^2\ngem 1.0.0: ring[seal]\ngem 3.0.0")
    conflict = conflict_of(["ring", "gem"], index, constraints=["gem <2"])
    assert [demand.origin for demand in conflict.demands] == ["root", "constraint"]


def test_conflict_lists_each_demand_once():
    index = index_of("""
        app 1.0.0 | a: low | z: net <2
        low 1.0.0
        net 2.0.0
        old 1.0.0
        plug 1.0.0: app[a]; old ^2
        plug 0.9.0: app[z]
        last 1.0.0: app[z]; net
    """)
    conflict = conflict_of(["app[z]", "old", "plug", "last"], index)
    assert [str(demand) for demand in conflict.demands] == ["net <2 (app 1.0.0 [z])", "net * (last 1.0.0)"]


def test_first_dead_end_after_candidates_given_up():
    index = index_of(BASE + """
        plug 2.0.0: app[fast]; old ^2
        plug 1.0.0
        late 1.0.0: app[safe]; lock ^9
    """)
    conflict = conflict_of(["app[web]", "old", "plug", "late"], index)
    assert (conflict.package, [str(demand) for demand in conflict.demands]) == (
        "lock", ["lock ^9 (late 1.0.0)", "lock * (app 1.0.0 [safe])"][::-1])


def pools(seed):
    """A small index and roots, much of it about extras."""
    draw = random.Random(seed)
    names = ["a", "b", "c", "d", "e"]

    def need():
        name = draw.choice(names)
        extras = draw.sample(["k", "m", "x"], draw.choice([0, 0, 1, 1, 2]))
        return f"{name}[{','.join(extras)}] {draw.choice(['*', '*', '^1', '^2', '<3'])}"

    releases = []
    for name in names:
        for major in range(1, draw.randint(2, 4)):
            extras = {extra: [need() for _ in range(draw.randint(0, 1))] for extra in ("k", "m", "x") if draw.random() < 0.9}
            releases.append(make_release(name, f"{major}.0.0", [need() for _ in range(draw.randint(0, 2))], extras))
    return PackageIndex(releases), [need() for _ in range(2)]


def closure(roots, index, versions):
    """The extras of each package that follow from what is chosen, and whether all is met."""
    extras = {name: set() for name in versions}
    while True:
        needs = list(make_release("root", "0.0.0", roots).requires)
        for name, version in versions.items():
            release = index.get(name, version)
            needs += release.requires
            for extra in extras[name]:
                needs += release.extra_requires(extra)
        before = sum(map(len, extras.values()))
        for need in needs:
            if need.name not in versions or not need.range.allows(index.get(need.name, versions[need.name]).version):
                return None
            extras[need.name] |= set(need.extras)
        if sum(map(len, extras.values())) == before:
            used = {need.name for need in needs}
            return {name: tuple(sorted(extras[name])) for name in versions} if used == set(versions) else None


@pytest.mark.parametrize("block", range(4))
def test_every_extra_has_somebody_who_asks_for_it(block):
    wrong = []
    for seed in range(200 * block, 200 * block + 200):
        index, roots = pools(seed)
        try:
            found = resolve(roots, index)
        except ConflictError:
            continue
        expected = closure(roots, index, found.versions())
        if expected != {item.release.name: item.extras for item in found.packages}:
            wrong.append(seed)
    assert wrong == []
