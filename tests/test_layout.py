"""What the files of a repository are for."""

from __future__ import annotations

import pytest

from deepgym_envs.layout import hidden_tests, is_test_code, role
from deepgym_envs.layout import tests_folder as folder_of
from deepgym_envs.state import File, Tree


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("shop.py", "source"),
        ("src/shop/cart.py", "source"),
        ("shop/types.pyi", "source"),
        ("shop/test.py", "source"),
        ("shop/contest.py", "source"),
        ("tests/test_cart.py", "test"),
        ("test_shop.py", "test"),
        ("shop/cart_test.py", "test"),
        ("shop/tests/unit/test_cart.py", "test"),
        ("tests/tests.py", "test"),
        ("tests/__init__.py", "support"),
        ("tests/data/prices.csv", "support"),
        ("tests/data/shop.py", "support"),
        ("conftest.py", "support"),
        ("shop/conftest.py", "support"),
        ("tests.py", "support"),
        ("shop/tests.py", "support"),
        ("test.py", "support"),
        ("setup.py", "other"),
        ("shop/setup.py", "source"),
        ("docs/conf.py", "other"),
        ("docs/tests/test_x.py", "test"),
        ("examples/shop.py", "other"),
        (".github/x.py", "other"),
        ("shop/data.json", "other"),
        ("README", "other"),
    ],
)
def test_a_path_tells_what_a_file_is_for(path: str, meant: str) -> None:
    assert role(path) == meant
    assert is_test_code(path) == (meant in ("test", "support"))


def test_the_folder_of_tests_is_the_outermost_one_of_that_name() -> None:
    assert folder_of("tests/a/tests/test_x.py") == "tests"
    assert folder_of("a/b/testing/c/test_x.py") == "a/b/testing"
    assert folder_of("a/b/test_x.py") == "a/b"


def test_hidden_tests_come_with_what_they_may_need_and_nothing_else() -> None:
    paths = [
        "shop.py",
        "conftest.py",
        "tests/conftest.py",
        "tests/helpers.py",
        "tests/data/prices.csv",
        "tests/test_cart.py",
        "tests/test_other.py",
        "other/conftest.py",
        "other/tests/helpers.py",
        "README.md",
    ]
    tree = Tree({path: File(path.encode()) for path in paths})
    assert hidden_tests(tree, ["tests/test_cart.py"]) == {
        path: path.encode()
        for path in (
            "conftest.py",
            "tests/conftest.py",
            "tests/data/prices.csv",
            "tests/helpers.py",
            "tests/test_cart.py",
        )
    }


def test_a_test_beside_its_module_takes_no_source_along() -> None:
    tree = Tree({path: File(b"") for path in ("shop/cart.py", "shop/test_cart.py", "shop/tests.py")})
    assert set(hidden_tests(tree, ["shop/test_cart.py"])) == {"shop/test_cart.py", "shop/tests.py"}
