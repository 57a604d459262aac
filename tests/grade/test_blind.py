"""The bound on guessing is never lower than what a forger could reach by trying what is likely."""

from __future__ import annotations

import pytest

from deepgym_envs.grade.blind import LEAST, forge_bound, guess_bound
from deepgym_envs.oracle_file import Case, parse_oracle


def cases(*expected: str, args: str = "[]") -> tuple[Case, ...]:
    text = "".join(
        f'[[case]]\nname = "c{number}"\nsteps = [{{ call = "t:f", args = {args}, {what} }}]\n'
        for number, what in enumerate(expected)
    )
    return parse_oracle(text.encode(), "oracle.toml").case


@pytest.mark.parametrize(
    ("what", "bound"),
    [
        ("expect = true", 0.5),
        ("expect = { none = true }", 0.5),
        ("expect = 0", 0.5),
        ("expect = 1.0", 0.5),
        ('expect = ""', 0.5),
        ("expect = []", 0.5),
        ('raises = "ValueError"', 0.5),
        ("expect = 7", 0.1),
        ("expect = 700", 0.01),
        ("expect = -70000", 0.001),
        ("expect = 2.5", 0.01),
        ("expect = 2024-02-29", 0.01),
        ('expect = "abc"', 0.1),
        ('expect = "abcdefgh"', 0.01),
        ('expect = "abcdefghi"', LEAST),
        ("expect = [7, 8]", 0.01),
        ("expect = [7, 7, 7]", 0.1),
        ("expect = [true, false, true]", 0.25),
        ("expect = { a = 700 }", 0.01),
        ("must = { sorted = true }", 1.0),
    ],
)
def test_a_value_counts_by_how_many_are_as_likely(what: str, bound: float) -> None:
    assert guess_bound(cases(what)[0]) == pytest.approx(bound)


def test_what_a_forger_has_read_is_likely() -> None:
    hard = cases('expect = "a long text"')[0]
    assert guess_bound(hard) == LEAST
    assert guess_bound(hard, "It should print a long text.") == 0.5
    assert guess_bound(cases('expect = "a long text"', args='["so a long text"]')[0]) == 0.5


def test_the_same_value_in_several_cases_counts_once() -> None:
    assert forge_bound(cases("expect = 7", "expect = 7", "expect = 8")) == pytest.approx(0.01)
    assert forge_bound(cases(*["expect = true"] * 20)) == 0.5


def test_properties_bound_nothing() -> None:
    assert forge_bound(cases("must = { sorted = true }", "must = { length = [1, 1] }")) == 1.0
    assert forge_bound([]) == 1.0


def test_of_several_values_in_a_case_the_likeliest_counts() -> None:
    """The base may give all the others, and whoever guesses has the base."""
    text = '[[case]]\nname = "c"\nsteps = [{ call = "t:f", expect = 7 }, { call = "t:f", expect = 700 }]\n'
    case = parse_oracle(text.encode(), "x").case[0]
    assert guess_bound(case) == forge_bound([case]) == 0.1


def test_a_program_counts_by_what_it_must_write() -> None:
    text = '[[case]]\nname = "c"\nrun = ["-m", "t"]\nstdout = "twelve lines"\nstderr = { pattern = ".*" }\n'
    assert guess_bound(parse_oracle(text.encode(), "x").case[0]) == LEAST
