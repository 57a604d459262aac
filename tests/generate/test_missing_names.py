"""What is left of the tests of a later release for the earlier one."""

from __future__ import annotations

import pytest

from deepgym_envs.generate.missing_names import collected_before, without_missing
from deepgym_envs.sandbox import Backend
from deepgym_envs.state import File, Tree

from ..audit.place import somewhere  # noqa: TID252
from .shop import RECIPE, WRONG

FIXTURES = (somewhere,)
NO_NEW = (
    "tests/test_x.py:1: in <module>\nE   ImportError: cannot import name 'new' from 'shop' (/w/shop.py)\n"
)
NO_MODULE = "E   ModuleNotFoundError: No module named 'shop.later'\n"
USES = "\n\n\ndef test_new():\n    assert new() == 1\n"
KEEPS = "\n\n\ndef test_old():\n    assert old() == 2\n"


@pytest.mark.parametrize(
    ("source", "told", "left"),
    [
        ("from shop import new, old" + USES + KEEPS, NO_NEW, "from shop import old" + KEEPS),
        ("from shop import (\n    new,\n    old,\n)" + KEEPS, NO_NEW, "from shop import old" + KEEPS),
        ("import x\nfrom shop import new" + USES + KEEPS, NO_NEW, "import x" + KEEPS),
        ("from shop import new as n, old" + USES.replace("new()", "n()") + KEEPS, NO_NEW, "from shop import old" + KEEPS),
        ("from shop.later import new\nfrom shop import old" + USES + KEEPS, NO_MODULE, "from shop import old" + KEEPS),
        ("import shop.later, x" + KEEPS, NO_MODULE, "import x" + KEEPS),
    ],
)  # fmt: skip
def test_a_missing_name_goes_with_the_tests_that_use_it(source: str, told: str, left: str) -> None:
    found = without_missing(source.encode(), told)
    assert found is not None
    assert "".join(found.decode().split()) == "".join(left.split())


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("from shop import old" + KEEPS, NO_NEW),  # the name is asked for elsewhere
        ("from shop import new, old" + USES + KEEPS, "E   NameError: name 'new' is not defined\n"),
        ("from shop import new" + USES, NO_NEW),  # nothing would be left
        ("from shop import new, old\n\nALL = [new, old]" + KEEPS, NO_NEW),  # all tests may need it
        ("import x; from shop import new, old" + USES + KEEPS, NO_NEW),
        ("from shop import (", NO_NEW),
        ("", NO_NEW),
    ],
)
def test_what_cannot_do_without_the_name_is_told(source: str, told: str) -> None:
    assert without_missing(source.encode(), told) is None


@pytest.mark.bwrap
def test_files_are_collected_before_with_what_can_be_kept(somewhere: Backend) -> None:
    mended = "from shop import first_new, label, second_new\n\n\ndef test_first():\n    first_new()\n\n\n"
    mended += (
        "def test_second():\n    second_new()\n\n\ndef test_label():\n    assert label('b', 2) == 'b: 2'\n"
    )
    whole = "from shop import never\n\n\ndef test_never():\n    never()\n"
    hidden = {
        "tests/test_mended.py": mended.encode(),
        "tests/test_never.py": whole.encode(),
        "tests/data.txt": b"x",
    }
    found = collected_before(RECIPE, Tree({"shop.py": File(WRONG.encode())}), hidden, somewhere)
    assert found.keys() == hidden.keys()
    assert (
        " ".join(found["tests/test_mended.py"].decode().split())
        == "from shop import label def test_label(): assert label('b', 2) == 'b: 2'"
    )
    assert found["tests/test_never.py"] == hidden["tests/test_never.py"]
