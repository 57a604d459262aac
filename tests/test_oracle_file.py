"""Oracles: what is read from the file, and what is said when it is broken."""

from __future__ import annotations

import pytest

from deepgym_envs.errors import TaskError
from deepgym_envs.oracle_file import Case, Oracle, is_case, parse_oracle

STEP = '{ call = "tiny:add", args = [1, 2], expect = 3 }'


def oracle(*steps: str, more: str = "") -> Oracle:
    text = f'[[case]]\nname = "one"\n{more}\nsteps = [\n{",".join(steps)}\n]\n'
    return parse_oracle(text.encode(), "oracle.toml")


def case(*steps: str, more: str = "") -> Case:
    return oracle(*steps, more=more).case[0]


def test_a_step_calls_reads_shows_and_expects() -> None:
    found = case(
        '{ let = "s", call = "tiny.deep:Thing.make", args = [{ tuple = [1] }], kwargs = { a = 2024-02-29 } }',
        '{ get = "$s.first.second", show = "each .a,.b() str", must = { equals = "$s", length = [1, 2] } }',
        '{ call = "$s", raises = "ValueError", match = "no" }',
    )
    first, second, third = found.steps
    assert (first.needs, first.target, first.kwargs) == (
        (),
        "tiny.deep:Thing.make",
        {"a": {"date": "2024-02-29"}},
    )
    assert (second.needs, second.compares_with, second.target) == (("s",), ("s",), "$s.first.second")
    assert third.raises == "builtins:ValueError"
    assert found.shown == {0, 1}


def test_only_what_is_judged_or_compared_is_shown() -> None:
    found = case('{ let = "a", call = "t:f" }', '{ call = "t:g", args = ["$a"] }', STEP)
    assert found.shown == {2}


def test_nodes_are_named_by_cases() -> None:
    found = oracle(STEP)
    assert found.nodes == ("oracle.toml::one",)
    assert [each.name for each in found.select(["oracle.toml"])] == ["one"]
    assert [each.name for each in found.select(["oracle.toml::one", "oracle.toml::one"])] == ["one"]
    assert list(found.select(["oracle.toml::other"])) == []
    assert (is_case("oracle.toml"), is_case("sub/oracle.toml::one"), is_case("test_oracle.py::one")) == (
        True,
        False,
        False,
    )


def test_texts_are_taken_as_they_are() -> None:
    text = '[[case]]\nname = "p"\nrun = ["-m", "tiny", " x "]\nstdout = " a \\n"\nfiles = { "b" = { pattern = " +" } }\n'
    found = parse_oracle(text.encode(), "x").case[0]
    assert (found.run, found.stdout) == (("-m", "tiny", " x "), " a \n")


@pytest.mark.parametrize(
    ("step", "complaint"),
    [
        ("{ expect = 3 }", "write either call or get"),
        ('{ call = "t:f", get = "t:f", expect = 3 }', "write either call or get"),
        ('{ get = "t:f", args = [1], expect = 3 }', "args and kwargs are for call"),
        ('{ call = "t.f", expect = 3 }', 'write "module:name"'),
        ('{ call = "os:system;x", expect = 3 }', 'write "module:name"'),
        ('{ call = "t:f" }', "nothing is judged"),
        ('{ call = "$s.f", expect = 3 }', r"step 1: \$s: no earlier step lets it"),
        ('{ call = "t:f", args = [["$s"]], expect = 3 }', r"step 1: \$s: no earlier step lets it"),
        ('{ call = "t:f", must = { equals = "$s" } }', r"must: \$s: no earlier step lets it"),
        ('{ call = "t:f", expect = "$s" }', r'write "\$\$"'),
        ('{ call = "t:f", must = {} }', "write one or more of"),
        ('{ call = "t:f", must = { equal = 1 } }', "did you mean 'equals'"),
        ('{ call = "t:f", must = { matches = "(" } }', "not a regular expression"),
        ('{ call = "t:f", show = "eval", expect = 3 }', "'eval': write each, str"),
        ('{ call = "t:f", show = ".a;b", expect = 3 }', "write each, str"),
        ('{ call = "t:f", expect = { set = [[1]] } }', "unhashable"),
        ('{ call = "t:f", args = [{ bytes = "x" }], expect = 3 }', "bytes"),
        ('{ call = "t:f", raises = "a b" }', 'write "module:Class"'),
        ('{ call = "t:f", raises = "E", expect = 3 }', "neither let, show, expect nor must"),
        ('{ call = "t:f", match = "x", expect = 3 }', "match is about what raises raises"),
        ('{ let = "1", call = "t:f", expect = 3 }', "write a name"),
        ('{ call = "t:f", expct = 3 }', "did you mean 'expect'"),
    ],
)
def test_a_broken_step_is_refused_with_what_to_write(step: str, complaint: str) -> None:
    with pytest.raises(TaskError, match=complaint):
        oracle(step)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "case: missing"),
        ("case = [", "not valid TOML"),
        ("[[case]]\nname = 'x'\n", "write either steps or run"),
        (f"[[case]]\nname = 'x'\nrun = ['-m', 'a']\nsteps = [{STEP}]\n", "write either steps or run"),
        (f"[[case]]\nname = 'X y'\nsteps = [{STEP}]\n", "name"),
        (f"[[case]]\nname = 'x'\nsteps = [{STEP}]\n" * 2, "the name of two cases"),
        (f"[[case]]\nname = 'x'\nstatus = 1\nsteps = [{STEP}]\n", "are for run"),
        ("[[case]]\nname = 'x'\nrun = ['tool.py']\n", 'write \\["-m"'),
        ("[[case]]\nname = 'x'\nrun = ['-m', 'a']\nstdin = 3\n", "stdin and given are text or bytes"),
        ("[[case]]\nname = 'x'\nrun = ['-m', 'a']\ngiven = { '../a' = 'x' }\n", r"\.\./a"),
        ("[[case]]\nname = 'x'\nrun = ['-m', 'a']\ndraw = { a = { whole = [1, 2] } }\n", "draw is for steps"),
        (f"[[case]]\nname = 'x'\ndraws = 0\nsteps = [{STEP}]\n", "greater than or equal to 1"),
        (f"[[case]]\nname = 'x'\ndraw = {{ n = {{ whole = [2, 1] }} }}\nsteps = [{STEP}]\n", "ends before"),
        ("[[case]]\nname = 'x'\nsteps = [{ let = 'a', call = 't:f' }, { let = 'a', call = 't:f', expect = 1 }]\n", "is taken"),
    ],
)  # fmt: skip
def test_a_broken_file_is_refused_with_what_to_write(text: str, complaint: str) -> None:
    with pytest.raises(TaskError, match=complaint):
        parse_oracle(text.encode(), "oracle.toml")


def test_a_file_that_is_not_utf_8_is_refused() -> None:
    with pytest.raises(TaskError, match="not UTF-8 at byte 1"):
        parse_oracle(b"#\xff", "oracle.toml")
