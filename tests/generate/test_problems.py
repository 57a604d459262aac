"""A change taken apart into fixes, each of which leaves alone what was right."""

from __future__ import annotations

from random import Random

import pytest

from deepgym_envs.generate.hunks import hunks_of
from deepgym_envs.generate.probe import probe_task
from deepgym_envs.generate.problems import Fix, Split
from deepgym_envs.grade import TaskRuns
from deepgym_envs.sandbox import Backend
from deepgym_envs.state import File, Tree

from ..audit.place import somewhere  # noqa: TID252
from .shop import RECIPE

FIXTURES = (somewhere,)
pytestmark = pytest.mark.bwrap
FILE = "tests/test_shop.py"


def fixes(old: str, new: str, tests: str, backend: Backend) -> list[list[str]]:
    """The lines that each fix puts in, where the module ``shop`` changes from ``old`` to ``new``."""
    base = Tree({"shop.py": File(old.encode())})
    hunks = hunks_of(base, {"shop.py": File(new.encode())})
    hidden = {FILE: tests.encode()}
    with TaskRuns(probe_task(RECIPE, base, hidden), backend) as runs:
        found = list(Split(runs, base, hunks, Random(0)).tasks(hidden, 9))
    return [
        [line.decode().strip() for hunk in fix.hunks for line in hunk.new_lines or ()]
        for fix in found
        if isinstance(fix, Fix)
    ]


RATES = """\
def rate():
    return 7


# What is taken of a price.


def tax(price):
    return price * rate() // 100


# What it is called.


def name():
    return "tax"
"""
NEW_RATES = RATES.replace("return 7", "return 70").replace("// 100", "// 1000").replace('"tax"', '"VAT"')
TESTS_OF_RATES = """\
from shop import name, rate, tax


def test_rate():
    assert rate() == 70


def test_tax():
    assert tax(200) == 14
"""
TEST_OF_NAME = """\


def test_name():
    assert name() == "VAT"
"""


def test_a_fix_takes_along_what_keeps_other_tests_passing(somewhere: Backend) -> None:
    found = fixes(RATES, NEW_RATES, TESTS_OF_RATES, somewhere)
    assert found == [["return 70", "return price * rate() // 1000"]]


def test_fixes_that_come_together_break_no_test_either(somewhere: Backend) -> None:
    found = fixes(RATES, NEW_RATES, TESTS_OF_RATES + TEST_OF_NAME, somewhere)
    assert found == [["return 70", "return price * rate() // 1000", 'return "VAT"']]


def test_fixes_that_break_a_test_together_stay_alone(somewhere: Backend) -> None:
    old = "def one():\n    return 1\n\n\n# More.\n\n\ndef ten():\n    return 10\n\n\n# Most.\n\n\nMOST = 21\n"
    new = old.replace("return 1\n", "return 2\n").replace("10", "20").replace("MOST = 21", "MOST = 22")
    tests = """\
from shop import MOST, one, ten


def test_one():
    assert one() == 2


def test_ten():
    assert ten() == 20


def test_most():
    assert one() + ten() <= MOST
"""
    assert fixes(old, new, tests, somewhere) == [["return 2"], ["return 20"]]
