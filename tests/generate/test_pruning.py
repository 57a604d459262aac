"""Tests taken out of files."""

from __future__ import annotations

import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs.generate.pruning import test_names, without_nodes, without_tests

PLAIN = st.sampled_from(
    [
        "x = 1\n",
        '"""Words."""\n',
        "# A comment.\ny = 2\n",
        "def helper():\n    return 3\n",
        "class Helper:\n    z = 4\n",
        "\n\n",
    ]
)
HEADS = st.sampled_from(["", "@mark\n", "@mark.parametrize(\n    'a', [1, 2]\n)\n@other\n", "async "])
ENDS = st.sampled_from(["\n", "\r\n"])


@st.composite
def a_test(draw: st.DrawFn) -> str:
    head, name = draw(HEADS), draw(st.sampled_from("abcdef"))
    body = draw(
        st.sampled_from(
            ["    pass\n", "    assert f(\n\n1)\n\n    # end\n    return\n", '    """\n\nx\n"""\n']
        )
    )
    return f"{head}def test_{name}():\n{body}{draw(st.sampled_from(['', chr(10)]))}"


@st.composite
def a_block(draw: st.DrawFn, inner: st.SearchStrategy[str]) -> str:
    body = textwrap.indent(
        "".join(draw(st.lists(inner, max_size=3))) + draw(st.sampled_from(["", "pass\n"])), "    "
    )
    body = body if any(line.strip()[:1] not in ("", "#") for line in body.splitlines()) else "    pass\n"
    head = draw(
        st.sampled_from(["class TestA", "class TestB", "if 1", "for x in y", "while z", "with w", "try"])
    )
    end = (
        draw(st.sampled_from(["except E:\n", "except E:\n    pass\nelse:\n", "finally:\n"]))
        if head == "try"
        else ""
    )
    return f"{head}:\n{body}" + (f"{end}{body}" if end else "")


SOURCES = st.lists(st.recursive(PLAIN | a_test(), a_block, max_leaves=8), min_size=1, max_size=5).map("".join)


def is_program(source: str) -> bool:
    try:
        compile(source, "x", "exec")
    except SyntaxError:
        return False
    return True


@given(SOURCES.filter(is_program), st.data(), ENDS)
def test_the_tests_named_are_gone_the_others_stay_and_it_compiles(
    source: str, data: st.DataObject, end: str
) -> None:
    whole = source.replace("\n", end).encode()
    names = sorted(set(test_names(whole)))
    gone = data.draw(st.sets(st.sampled_from(names)) if names else st.just(set()))
    left = without_tests(whole, gone)
    if left is None:
        assert set(names) <= gone
        return
    assert sorted(set(test_names(left))) == sorted(set(names) - gone)
    compile(left, "x", "exec")
    if not gone:
        assert left == whole


@given(SOURCES.filter(is_program), st.data())
def test_no_line_is_changed_or_moved(source: str, data: st.DataObject) -> None:
    names = sorted(set(test_names(source.encode())))
    gone = data.draw(st.sets(st.sampled_from(names)) if names else st.just(set()))
    left = without_tests(source.encode(), gone)
    before = iter(source.splitlines())
    for line in (left or b"").decode().splitlines():
        assert line.strip() == "pass" or line in before


def pruned(source: str, *tests: str) -> str | None:
    left = without_tests(textwrap.dedent(source).encode(), set(tests))
    return None if left is None else left.decode()


def test_decorators_go_with_their_test_and_all_cases_too() -> None:
    source = """\
    import pytest


    @pytest.mark.parametrize(
        "x",
        [1, 2],
    )
    @pytest.mark.slow
    def test_a(x):
        assert x


    async def test_b():
        pass
    """
    assert pruned(source, "test_a") == "import pytest\n\n\nasync def test_b():\n    pass\n"
    left = without_nodes({"t.py": textwrap.dedent(source).encode()}, {"t.py::test_a[1]"})
    assert b"test_a" not in left["t.py"]


def test_a_class_whose_tests_are_gone_goes_too() -> None:
    source = "class TestA:\n    x = 1\n\n    def test_a(self):\n        pass\n\n\ndef test_b():\n    pass\n"
    assert pruned(source, "TestA::test_a") == "def test_b():\n    pass\n"
    assert pruned(source, "test_a") == source


def test_a_class_that_is_spoken_of_elsewhere_stays() -> None:
    source = """\
    class TestA:
        def test_a(self):
            pass

    class TestB(TestA):
        def test_b(self):
            pass
    """
    left = pruned(source, "TestA::test_a")
    assert left is not None
    assert left.startswith("class TestA:\n    pass\n")
    assert "class TestB(TestA):" in left


@pytest.mark.parametrize(
    "source",
    [
        "if X:\n    def test_a():\n        pass\n",
        "if X:\n    class TestA:\n        def test_a(self):\n            pass\n",
        "try:\n    import x\nexcept E:\n    def test_a():\n        pass\n",
        "match x:\n    case 1:\n        def test_a():\n            pass\n",
        "for x in y:\n    def test_a():\n        pass\n",
        "if X:\n\tdef test_a():\n\t\tpass\n",
        "class Q:\n    class TestA:\n        def test_a(self):\n            pass\nprint(Q)\n",
    ],
)
def test_the_only_statement_of_a_block_gives_way_to_one_that_does_nothing(source: str) -> None:
    source += "def test_z():\n    pass\n"
    name = next(name for name in test_names(source.encode()) if name.endswith("test_a"))
    left = pruned(source, name)
    assert left is not None
    assert "test_a" not in left
    assert list(test_names(left.encode())) == ["test_z"]


def test_what_is_defined_inside_of_a_test_is_no_test() -> None:
    source = b"def test_a():\n    def test_inner():\n        pass\n"
    assert list(test_names(source)) == ["test_a"]


def test_a_name_that_is_defined_twice_is_gone_twice() -> None:
    source = "if X:\n    def test_a(): pass\nelse:\n    def test_a(): pass\ndef test_b(): pass\n"
    assert pruned(source, "test_a") == "if X:\n    pass\nelse:\n    pass\ndef test_b(): pass\n"


def test_a_file_that_has_no_test_left_goes_and_others_are_not_read() -> None:
    files = {"a.py": b"def test_a():\n    pass\n", "data.bin": b"\xff\0", "b.py": b"not python ("}
    assert without_nodes(files, {"a.py::test_a"}) == {"data.bin": b"\xff\0", "b.py": b"not python ("}


def test_bytes_that_are_not_utf8_stay_as_they_are() -> None:
    source = b"# -*- coding: latin-1 -*-\nx = '\xe4'\ndef test_a(): pass\ndef test_\xe4(): pass\n"
    assert without_tests(source, {"test_a"}) == source.replace(b"def test_a(): pass\n", b"")


@pytest.mark.parametrize(
    "source", [b"def test_a(:\n", b"\xff\xfe", b"x\0", b"(" * 500, b"def test_a(): pass\n\xe4\n"]
)
def test_what_is_not_python_is_said_to_be_so(source: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        without_tests(source, {"test_a"})
