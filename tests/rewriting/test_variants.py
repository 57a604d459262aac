"""A variant looks different and does the same, or is the text as it was."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from deepgym_envs.rewriting.variants import reformatted, renamed_locals, reordered_functions, with_dead_code

REPOS = Path(__file__).parent.parent.parent / "repos"
REWRITES = [renamed_locals, reordered_functions, reformatted, with_dead_code]


@pytest.mark.parametrize(
    ("source", "after"),
    [
        ("def f(a):\n    b = a\n    return b  # b\n", "def f(a):\n    its_b = a\n    return its_b  # b\n"),
        ("def f():\n    a = 1\n    def g():\n        return a\n    return g\n", "def f():\n    its_a = 1\n    def g():\n        return its_a\n    return g\n"),
        ("def f(a):\n    return [b for b in a if b]\n", "def f(a):\n    return [its_b for its_b in a if its_b]\n"),
        ("def f(a):\n    return [a for a in a]\n", "def f(a):\n    return [its_a for its_a in a]\n"),
        ("a = [b for b in range(3)]\n", "a = [its_b for its_b in range(3)]\n"),
        ("def f():\n    return [(a := b) for b in ()], a\n", "def f():\n    return [(its_a := its_b) for its_b in ()], its_a\n"),
        ("def f(a):\n    try:\n        b = 1\n        del b\n    except (A) as c:\n        return c\n", "def f(a):\n    try:\n        its_b = 1\n        del its_b\n    except (A) as its_c:\n        return its_c\n"),
        ("def f(a):\n    match a:\n        case [b, *c]: return b, c\n        case A(d=e) as g: return e, g\n", "def f(a):\n    match a:\n        case [its_b, *its_c]: return its_b, its_c\n        case A(d=its_e) as its_g: return its_e, its_g\n"),
        ("def f(a):\n    b = 1\n    return f'{b} b {b!r:>{b}}'\n", "def f(a):\n    its_b = 1\n    return f'{its_b} b {its_b!r:>{its_b}}'\n"),
        ("def f():\n    b = 1\n    return g(b=b)\n", "def f():\n    its_b = 1\n    return g(b=its_b)\n"),
        ("def f():\n    its_x = a = 1\n", "def f():\n    its1_its_x = its1_a = 1\n"),
        ("class A:\n    a = 1\n    def f(self):\n        b = a\n        return b\n", "class A:\n    a = 1\n    def f(self):\n        its_b = a\n        return its_b\n"),
        ("def f():\n    a = 1\n    class B:\n        a = 2\n        def g(self): return a\n", "def f():\n    its_a = 1\n    class B:\n        a = 2\n        def g(self): return its_a\n"),
        ("def f():\n    a = _a = 1\n    return a, _a\n", "def f():\n    its_a = its__a = 1\n    return its_a, its__a\n"),
        ("def f():\n    a = 1\n    def g(b=lambda a: a):\n        return a\n", "def f():\n    its_a = 1\n    def g(b=lambda a: a):\n        return its_a\n"),
        ("def f():\n    a = 1\n    class B:\n        c = a\n", "def f():\n    its_a = 1\n    class B:\n        c = its_a\n"),
    ],
)  # fmt: skip
def test_variables_get_other_names_where_they_are_meant(source: str, after: str) -> None:
    assert renamed_locals(source) == after


@pytest.mark.parametrize(
    "source",
    [
        "a = 1\n",
        "def f(a):\n    a = 1\n    return a\n",
        "def f():\n    a = 1\n    return locals()\n",
        "def f():\n    a = 1\n    return lambda: eval('a')\n",
        "def f():\n    a = 1\n    return sys._getframe(0)\n",
        "def f():\n    global a\n    a = 1\n",
        "def f():\n    a = 1\n    def g():\n        nonlocal a\n        a = 2\n    return a\n",
        "def f():\n    a = 1\n    return f'{a=}'\n",
        "def f():\n    def g(): ...\n    class H: ...\n    import i\n    return g, H, i\n",
        "def f():\n    a = int\n    def g(b: a): ...\n",
        "def f():\n    def g(b: a): ...\n    a = int\n",
        "class A:\n    a = 1\n    b: int = a\n",
        "class A:\n    def f(self):\n        __a = 1\n        return __a\n",
        "def f(b):\n    match b:\n        case {'c': 1, **a}: return a\n",
        "def f(self):\n    self.a = 1\n",
    ],
)
def test_what_may_be_seen_from_elsewhere_keeps_its_name(source: str) -> None:
    assert renamed_locals(source) == source


def test_one_scope_that_cannot_be_renamed_does_not_keep_the_others() -> None:
    source = "def f():\n    a = 1\n    return f'{a=}'\n\ndef g():\n    a = 1\n    return a\n"
    assert renamed_locals(source) == source[:40] + source[40:].replace("a =", "its_a =").replace(
        "return a", "return its_a"
    )


@pytest.mark.parametrize(
    ("source", "after"),
    [
        ("def a(): ...\n\n# why b\ndef b(): ...\ndef c(): ...", "def c(): ...\n\n# why b\ndef b(): ...\ndef a(): ..."),
        ("'''Doc.'''\nimport z\n\ndef a(): ...\n\n# why b\ndef b(): ...\n", "'''Doc.'''\nimport z\n\n# why b\ndef b(): ...\n\ndef a(): ...\n"),
        ("def a(x=(1, Y)) -> int | None: ...\ndef b(*, x: List[int] = -1): ...\n", "def b(*, x: List[int] = -1): ...\ndef a(x=(1, Y)) -> int | None: ...\n"),
    ],
)  # fmt: skip
def test_neighbouring_functions_change_places(source: str, after: str) -> None:
    assert reordered_functions(source) == after


@pytest.mark.parametrize(
    "source",
    [
        "def a(): ...\nb = a()\ndef c(): ...\n",
        "def a(): ...\n@a\ndef b(): ...\n",
        "def a(): ...\ndef b(x=a): ...\n",
        "def a(): ...\ndef b(x: a): ...\n",
        "def a(): ...\ndef b(x=next(n)): ...\n",
        "def a(): return 1\ndef a(): return 2\n",
        "def a(): ...\ndef b(): ...\nfor c in vars(): ...\n",
        "def a(): ...\nclass B: ...\n",
        "def __getattr__(name): ...\ndef a(): ...\n",
    ],
)
def test_functions_stay_where_their_order_may_matter(source: str) -> None:
    assert reordered_functions(source) == source


def test_a_new_layout_means_the_same() -> None:
    source = "a = ( 1,2 ) # two\ndef f( ):\n  '''Doc\n  more.'''\n  return f'{a!r}'\n"
    assert "# two" not in reformatted(source)
    assert ast.dump(ast.parse(reformatted(source))) == ast.dump(ast.parse(source))


def test_dead_code_stands_in_functions_after_their_documentation() -> None:
    source = "class A:\n    def f(self):\n        '''Doc.'''\n\n        # why\n        yield 1\n"
    after = with_dead_code(source)
    assert after == source.replace(
        "        yield",
        "        unused_value = None\n        if unused_value is not None:\n            raise AssertionError(unused_value)\n        yield",
    )


@pytest.mark.parametrize(
    "source",
    [
        "def f(): return 1\n",
        "def f():\n    return locals()\n",
        "def f():\n    '''Doc.'''\n",
        "def f(a,\n  b): return 1\n",
    ],
)
def test_dead_code_stays_out_where_it_would_show(source: str) -> None:
    assert with_dead_code(source) == source


@pytest.mark.parametrize("rewrite", REWRITES)
def test_what_is_not_python_is_refused(rewrite: Callable[[str], str]) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        rewrite("def (:\n")


@pytest.mark.parametrize("rewrite", REWRITES)
def test_a_variant_of_its_own_kind_changes_most_real_files(rewrite: Callable[[str], str]) -> None:
    sources = [path.read_text(encoding="utf-8") for path in sorted(REPOS.glob("*/src/*/[a-z]*.py"))[::8]]
    assert sum(rewrite(source) != source for source in sources) >= len(sources) * 0.4


@pytest.mark.slow
@pytest.mark.parametrize("repository", ["cellwork", "seamline"])
def test_a_repository_in_which_everything_is_rewritten_passes_its_own_tests(
    repository: str, tmp_path: Path
) -> None:
    shutil.copytree(REPOS / repository / "src", tmp_path / "src")
    changed = 0
    for path in (tmp_path / "src").rglob("*.py"):
        if "tests" not in path.relative_to(tmp_path).parts:
            source = variant = path.read_text(encoding="utf-8")
            for rewrite in REWRITES:
                variant = rewrite(variant)
            changed += variant != source
            path.write_text(variant, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "."],
        cwd=tmp_path / "src",
        capture_output=True,
        text=True,
        check=False,
        env={name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "PYTHON"))},
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert changed >= 8
