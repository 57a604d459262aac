"""Names of tests become node ids where there is no doubt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs.importers.node_ids import NodeIds, added_tests
from deepgym_envs.importers.rejected import Rejected
from deepgym_envs.task import HiddenTests
from deepgym_envs.unified_diff import FileDiff, parse_diff

FILES = ["tests/auth_tests/test_views.py", "tests/test_views.py", "sympy/core/tests/test_args.py"]
DIFF = parse_diff(
    "--- a/sympy/core/tests/test_args.py\n+++ b/sympy/core/tests/test_args.py\n"
    "@@ -1,4 +1,20 @@ class TestOld(Base):\n"
    "     def test_old(self):\n         pass\n"
    "+    def test_in_old(self):\n+        pass\n+\n"
    "+@pytest.mark.parametrize('x', [1])\n+def test_many(x):\n+    pass\n+\n"
    "+async def test_waits():\n+    def test_inner():\n+        pass\n+\n"
    "+@decorated\n+class TestNew:\n+    def test_in_new(self):\n+        pass\n"
    " def test_was_there():\n"
    "-def test_gone():\n"
    "+def test_came():\n"
    "+    pass\n"
)
TOUCHED = [FileDiff(path, path) for path in FILES[:2]]
NODE_ID = NodeIds([*TOUCHED, *DIFF])


@pytest.mark.parametrize(
    ("name", "node"),
    [
        ("tests/test_a.py::test_b", "tests/test_a.py::test_b"),
        ("./tests/test_a.py::T::test_b[x-[1] y]", "tests/test_a.py::T::test_b[x-[1] y]"),
        ("/testbed/tests/test_a.py::test_b[é]", "tests/test_a.py::test_b[é]"),
        ("test_in (auth_tests.test_views.LoginTest)", f"{FILES[0]}::LoginTest::test_in"),
        ("test_in (auth_tests.test_views.LoginTest.test_in)", f"{FILES[0]}::LoginTest::test_in"),
        ("test_came", f"{FILES[2]}::test_came"),
        ("test_was_there", f"{FILES[2]}::test_was_there"),
    ],
)
def test_a_name_without_doubt_is_a_node_id(name: str, node: str) -> None:
    assert NODE_ID(name) == node


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("tests/test_a.py::test_b[x", "truncated-id"),
        ("tests/test_a.py::test_b[x] more", "truncated-id"),
        ("tests/test_a.py::", "truncated-id"),
        ("tests/a.rs::test_b", "test-id"),
        ("/etc/test_a.py::test_b", "test-id"),
        ("a/../../test_a.py::test_b", "test-id"),
        ("tests/test_a.py::test\x1b[31m", "test-id"),
        ("test_in (test_views.LoginTest)", "test-id"),
        ("test_in (LoginTest)", "test-id"),
        ("test_gone", "test-id"),
        ("test_nowhere", "test-id"),
        ("The total is right", "test-id"),
        ("", "test-id"),
    ],
)
def test_a_name_in_doubt_is_refused(name: str, code: str) -> None:
    with pytest.raises(Rejected) as caught:
        NODE_ID(name)
    assert caught.value.code == code


def test_a_bare_name_belongs_to_the_only_file() -> None:
    assert NodeIds(TOUCHED[:1])("test_x[1]") == f"{FILES[0]}::test_x[1]"


def test_added_tests_are_those_whose_ids_are_known() -> None:
    home = FILES[2]
    assert added_tests(DIFF) == (
        f"{home}::TestOld::test_in_old", f"{home}::test_waits", f"{home}::TestNew::test_in_new", f"{home}::test_came",
    )  # fmt: skip


@given(st.text() | st.from_regex(r"[a-z./]*\.py::[a-z\[\]]*", fullmatch=True))
def test_any_name_is_a_node_id_that_a_task_takes_or_refused(name: str) -> None:
    try:
        found = NODE_ID(name)
    except Rejected:
        return
    assert HiddenTests(fail_to_pass=(found,)).nodes == (found,)
