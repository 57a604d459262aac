"""Mutants are programs, each with one small fault, and the rest of the text is as it was."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepgym_envs.rewriting.mutation import OPERATORS, Mutant, mutants, sample

REPOS = Path(__file__).parent.parent.parent / "repos"
SOURCES = sorted(path for path in REPOS.glob("*/src/*/*.py") if path.parent.name != "tests")
SAMPLED = SOURCES[::13]

# Each kind of fault: a source, and what its first changed line, or nothing, becomes.
EXAMPLES = [
    ("comparison_boundary", "a = b < c\n", ["a = b <= c"]),
    ("comparison_boundary", "a = (b  # <\n >= (c))\n", ["> (c))"]),
    ("comparison_negated", "a = b < c == d\n", ["a = b >= c == d", "a = b < c != d"]),
    ("comparison_negated", "a = b not   in c\n", ["a = b in c"]),
    ("arithmetic_swapped", "a = (b + c) * 'x'[0]\n", ["a = (b + c) / 'x'[0]", "a = (b - c) * 'x'[0]"]),
    ("arithmetic_swapped", "a = 'b' + c % d\n", ["a = 'b' + c // d"]),
    ("augmented_assignment_changed", "a += 1\n", ["a -= 1", "a = 1"]),
    ("and_or_swapped", "a = (b) and (c) and d\n", ["a = (b) or (c) and d", "a = (b) and (c) or d"]),
    ("operand_dropped", "a = (b) and (c) and d\n", ["a = (c) and d", "a = (b) and d", "a = (b) and (c)"]),
    ("condition_negated", "if a:\n    b()\n", ["if not a:"]),
    ("condition_negated", "a = [b for b in c if b or d]\n", ["a = [b for b in c if not (b or d)]"]),
    ("condition_negated", "a = b if c else d\n", ["a = b if not c else d"]),
    ("not_dropped", "a = not (b or c)\n", ["a = (b or c)"]),
    ("guard_dropped", "def f(a):\n    if a:\n        return 1\n    return 2\n", [""]),
    ("branch_dropped", "if a:\n    b()\n", ["pass"]),
    ("branch_dropped", "if a:\n    b()\nelif c:\n    d()\nelse:\n    e()\n", ["pass", "", "pass", ""]),
    ("super_call_dropped", "class A:\n    def f(self):\n        super().f()\n        g()\n", [""]),
    ("statement_dropped", "def f():\n    '''Why.'''\n    g()  # now\n", ["pass  # now"]),
    ("statement_dropped", "async def f():\n    await g()  # now\n    h = 1\n    h += 1\n", ["", ""]),
    ("statement_dropped", "raise A; a.b = 1\n", []),
    ("await_lost", "async def f():\n    return await g()\n", ["return g()"]),
    ("loop_exit_swapped", "for a in b:\n    break\n", ["continue"]),
    ("loop_exit_swapped", "for a in b:\n    continue\n", ["break"]),
    ("default_changed", "def f(a=1, *, b=True): ...\n", ["def f(a=2, *, b=True): ...", "def f(a=0, *, b=True): ...", "def f(a=1, *, b=False): ..."]),
    ("range_off_by_one", "range(a)\n", ["range(1, a)", "range(a + 1)", "range(a - 1)"]),
    ("slice_off_by_one", "a[:b]\n", ["a[1:b]", "a[:b + 1]", "a[:b - 1]"]),
    ("slice_off_by_one", "a[b - 1:2]\n", ["a[b:2]", "a[b - 1 - 1:2]", "a[b - 1:3]", "a[b - 1:1]"]),
    ("bool_flipped", "a = True\n", ["a = False"]),
    ("number_off_by_one", "a = 0x1f\n", ["a = 0x20", "a = 0x1e"]),
    ("number_off_by_one", "a = -1_000\n", ["a = -1_001", "a = -999"]),
    ("number_off_by_one", "a = 0 ** 2\n", ["a = 1 ** 2", "a = (-1) ** 2", "a = 0 ** 3", "a = 0 ** 1"]),
    ("string_changed", 'a = "it\'s", b"no", \'\', ","\n', ['a = "it\'", b"no", \'\', ","', 'a = "it\'s", b"n", \'\', ","', 'a = "it\'s", b"no", \' \', ","', 'a = "it\'s", b"no", \'\', ";"']),
    ("arguments_swapped", "f(a,  (b), k=c, l=d)\n", ["f(b,  (a), k=c, l=d)", "f(a,  (b), k=d, l=c)"]),
    ("named_argument_dropped", "f(a, k=(b))\n", ["f(a)"]),
    ("call_unwrapped", "a = sorted(b or c)[0], d.copy()\n", ["a = (b or c)[0], d.copy()", "a = sorted(b or c)[0], d"]),
    ("function_swapped", "min(any(a))\n", ["max(any(a))", "min(all(a))"]),
    ("method_swapped", "a.startswith(b)\n", ["a.endswith(b)"]),
    ("attribute_swapped", "class A:\n    a: int\n    def f(self):\n        self.b = 1\n        return self.a\n", ["return self.b"]),
    ("attribute_swapped", "class A:\n    def f(self): self.g()\n    def g(self): ...\n    def h(self, a): ...\n", ["def f(self): self.f()"]),
    ("returned_other_variable", "def f(a):\n    b = 1\n    return b\n    c = 1\n", ["return a"]),
    ("exception_changed", "raise ValueError(a)\n", ["raise TypeError(a)"]),
    ("exception_changed", "from a import BError\nclass CError(BError): ...\nraise CError\n", ["raise BError"]),
    ("bases_swapped", "class A(B, C): ...\n", ["class A(C, B): ..."]),
]  # fmt: skip


def only(name: str, source: str) -> list[Mutant]:
    return list(mutants(source, operators=[operator for operator in OPERATORS if operator.name == name]))


@pytest.mark.parametrize(("name", "source", "after"), EXAMPLES)
def test_each_kind_of_fault_changes_what_its_name_says(name: str, source: str, after: list[str]) -> None:
    assert [mutant.after for mutant in only(name, source)] == after


def test_every_kind_of_fault_has_an_example() -> None:
    assert {name for name, _, _ in EXAMPLES} == {operator.name for operator in OPERATORS}
    assert len({operator.name for operator in OPERATORS}) == len(OPERATORS)


@pytest.mark.parametrize(
    "source",
    [
        "'''Doc 1.'''\n",
        "def f(a: 'B' = None) -> Literal['x']:\n    '''Doc.'''\n",
        "a: Literal['x']\n",
        "__all__ = ['a', 'b']\n__all__ += ['c']\n",
        "if TYPE_CHECKING:\n    a = 1\n",
        "if typing.TYPE_CHECKING:\n    a = 1\nelse:\n    a = 2\n",
        "from a import b\nimport c.d\n",
        "@overload\ndef f(a: int = 1) -> int: ...\n",
        "T = TypeVar('T')\n",
        "a = f'{b + 1} and {c}'\n",
        "class A:\n    '''Doc.'''\n",
    ],
)
def test_what_says_nothing_when_it_runs_is_left_alone(source: str) -> None:
    assert list(mutants(source)) == []


@pytest.mark.parametrize("path", SAMPLED, ids=lambda path: path.stem)
def test_mutants_of_real_code_are_programs_that_differ(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    trees = {ast.dump(ast.parse(source))}
    chosen = sample(mutants(source), 60, seed=1)
    for mutant in chosen:
        compile(mutant.source, mutant.operator, "exec", dont_inherit=True)
        trees.add(ast.dump(ast.parse(mutant.source)))
    assert len(trees) == 1 + len(chosen)


@pytest.mark.parametrize("path", SAMPLED[::2], ids=lambda path: path.stem)
def test_all_text_outside_the_lines_that_a_mutant_names_stays(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    for mutant in mutants("".join(lines), lines=range(20, 120)):
        head, tail = "".join(lines[: mutant.line - 1]), "".join(lines[mutant.end_line :])
        assert mutant.source.startswith(head)
        assert mutant.source.endswith(tail)
        middle = mutant.source[len(head) : len(mutant.source) - len(tail)]
        assert "".join(middle.split()) == "".join(mutant.after.split())
        assert "".join("".join(lines[mutant.line - 1 : mutant.end_line]).split()) == "".join(
            mutant.before.split()
        )


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_odd_bytes_stay_as_they_are(end: str) -> None:
    source = end.join(["\ufeff# coding: latin-1", "ä = 'ü'  #\tä", "if ä:\f", "\tb = 'ö' < ä", ""])
    (mutant,) = only("comparison_boundary", source)
    assert mutant.source == source.replace("<", "<=")
    assert (mutant.line, mutant.after) == (4, "b = 'ö' <= ä")


def test_a_mutant_knows_its_function() -> None:
    source = "a = 1\nclass B:\n    c = 2\n    def d(self, e=3):\n        def f():\n            return 4\n        return 5\n"
    functions = [mutant.function for mutant in mutants(source) if mutant.operator != "attribute_swapped"]
    assert list(dict.fromkeys(functions)) == ["", "B", "B.d", "B.d.f"]


def test_only_wanted_lines_change() -> None:
    source = (
        SOURCES[0].read_text(encoding="utf-8")
        + "\n\ndef f(a):\n    if a > 1:\n        return a\n    return 2\n"
    )
    wanted = {source.count("\n") - 2}
    chosen = list(mutants(source, lines=wanted))
    assert {mutant.operator for mutant in chosen} >= {
        "comparison_boundary",
        "number_off_by_one",
        "guard_dropped",
    }
    assert chosen == [
        mutant for mutant in mutants(source) if wanted & set(range(mutant.line, mutant.end_line + 1))
    ]


def test_a_name_that_an_inner_function_rebinds_keeps_its_first_value() -> None:
    source = "def f():\n    a = [0]\n    a[0] = 1\n    def g():\n        nonlocal a\n        a = 2\n    g()\n    return a\n"
    for mutant in mutants(source):
        compile(mutant.source, "mutant", "exec")


def test_a_sample_is_spread_and_repeats_itself() -> None:
    source = Path(REPOS / "hoardfile/src/hoardfile/segments.py").read_text(encoding="utf-8")
    everything = list(mutants(source))
    chosen = sample(everything, 25, seed=3)
    assert chosen == sample(mutants(source), 25, seed=3) != sample(everything, 25, seed=4)
    assert [mutant for mutant in everything if mutant in chosen] == list(chosen)
    assert len({mutant.operator for mutant in chosen}) >= 18
    assert len({mutant.function for mutant in chosen}) >= 15
    assert sample(everything[:5], 25, seed=3) == tuple(everything[:5])
    assert sample([], 3, seed=1) == ()


def test_what_is_not_python_is_refused() -> None:
    with pytest.raises(ValueError, match="invalid syntax"):
        list(mutants("def def\n"))
    with pytest.raises(ValueError, match="UTF-8"):
        list(mutants("a = '\ud800'\n"))


@settings(deadline=None)
@given(st.lists(st.sampled_from(EXAMPLES), min_size=1, max_size=4))
def test_mutants_of_any_mixture_differ_from_it_and_each_other(
    parts: list[tuple[str, str, list[str]]],
) -> None:
    source = "".join(source for _, source, _ in parts)
    found = list(mutants(source))
    dumps = [ast.dump(ast.parse(mutant.source)) for mutant in found]
    assert len({*dumps, ast.dump(ast.parse(source))}) == len(found) + 1
    assert found == list(mutants(source))
