"""From a source release to a recipe: what it needs, resolved and pinned, and how it is imported and tested.

Only metadata is read; nothing of the package is executed. pip resolves the requirements to wheels, whose
metadata it reads likewise.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser
from pathlib import PurePosixPath

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from deepgym_envs.generate.candidate import Rejected
from deepgym_envs.layout import is_test_code, role, tests_folder
from deepgym_envs.recipe import PYTEST_PYTHON, Install, Needs, RepoRecipe, SdistSource, TestSuite
from deepgym_envs.state import File, Tree
from deepgym_envs.syntax import parse_python

_SECONDS = 300
_METADATA = "PKG-INFO"
# Modules that tests often import, by the distribution that has them, where the names differ.
_DISTRIBUTIONS = {
    "attr": "attrs", "yaml": "pyyaml", "dateutil": "python-dateutil", "pytz": "pytz", "bs4": "beautifulsoup4",
    "markdown_it": "markdown-it-py", "google": "", "pkg_resources": "", "setuptools": "", "_pytest": "",
    "typing_extensions": "typing-extensions", "wx": "",
}  # fmt: skip
# Plugins of pytest by the distribution that has them, and the fixtures and marks that tell that tests use it.
_PLUGINS = {
    "pytest-mock": ("pytest_mock", r"\bmocker\b"),
    "pytest-asyncio": ("pytest_asyncio.plugin", r"\bpytest\.mark\.asyncio\b"),
    "pytest-subtests": ("pytest_subtests.plugin", r"\bsubtests\b"),
    "pytest-lazy-fixtures": ("pytest_lazy_fixtures.plugin", r"\bpytest_lazy_fixtures\b"),
    "pytest-datadir": ("pytest_datadir.plugin", r"\b(shared_)?datadir\b"),
    "pytest-regressions": ("pytest_regressions.plugin", r"\b(data|file|num)_regression\b"),
}
_COMPILED = (".pyx", ".pxd", ".c", ".cc", ".cpp", ".rs", ".f90")


@dataclass(frozen=True)
class Distribution:
    """What a source release tells of itself."""

    name: str
    version: str
    summary: str
    license: str
    requires: tuple[Requirement, ...]


def distribution(tree: Tree) -> Distribution:
    """Read the metadata of a source release.

    Raises:
        Rejected: it has none, or it cannot be read.
    """
    if _METADATA not in tree:
        raise Rejected("unreadable", f"it has no {_METADATA}")
    told: Message = BytesParser().parsebytes(tree[_METADATA].data, headersonly=True)
    try:
        requires = tuple(Requirement(line) for line in told.get_all("Requires-Dist", []))
    except InvalidRequirement as error:
        raise Rejected("unreadable", f"{_METADATA}: {error}") from None
    name, version = told.get("Name"), told.get("Version")
    if not name or not version:
        raise Rejected("unreadable", f"{_METADATA}: names no package and version")
    licence = told.get("License-Expression") or told.get("License") or _classified(told) or "unknown"
    return Distribution(
        canonicalize_name(str(name)), str(version), _line(told.get("Summary")), _line(licence), requires
    )


def make_recipe(tree: Tree, source: SdistSource) -> RepoRecipe:
    """The recipe of a source release, whose requirements pip resolves on the index that it is set up with.

    Raises:
        Rejected: it is no package that tasks can be made of.
    """
    about = distribution(tree)
    tests = sorted(path for path in tree if role(path) == "test")
    packages = import_roots(tree)
    if not tests:
        raise Rejected("no_tests", "its source release holds no tests")
    if not packages:
        raise Rejected("no_source", "it holds no Python that is not tests")
    compiled = [path for path in tree if path.endswith(_COMPILED) and not is_test_code(path)]
    if compiled:
        raise Rejected("not_pure", f"{compiled[0]} would have to be compiled")
    wanted, plugins = _wanted(tree, about, {module for _, module in packages})
    pins = resolve(wanted)
    names = {canonicalize_name(pin.partition("==")[0]) for pin in pins}
    if about.name in names:
        raise Rejected("needed_by_tests", f"the environment of its tests holds {about.name} itself")
    folders = sorted({tests_folder(path) for path in tests})
    return RepoRecipe(
        name=about.name,
        summary=f"The package {about.name}, from its source release.",
        license=about.license,
        python=PYTEST_PYTHON,
        source=source,
        needs=Needs(pip=pins),
        install=Install(pythonpath=tuple(sorted({root or "." for root, _ in packages} | {"."}))),
        test=TestSuite(
            paths=tuple(folder for folder in folders if folder) or tuple(tests), plugins=tuple(plugins)
        ),
    )


def with_metadata(tree: Tree, recipe: RepoRecipe) -> Tree:
    """``tree`` with what an installation leaves for ``importlib.metadata``, unless it is there already."""
    about = distribution(tree)
    root = next(iter(recipe.install.pythonpath))
    folder = f"{about.name.replace('-', '_')}-{about.version}.dist-info"
    place = f"{folder}/METADATA" if root == "." else f"{root}/{folder}/METADATA"
    known = re.compile(r"(.*/)?[^/]+\.(egg|dist)-info/(PKG-INFO|METADATA)")
    if any(known.fullmatch(path) for path in tree):
        return tree
    return Tree({**tree, place: File(tree[_METADATA].data)})


def import_roots(tree: Tree) -> Sequence[tuple[str, str]]:
    """Where the modules of a source tree lie, and what they are called: ``("src", "shop")``."""
    found: dict[tuple[str, str], None] = {}
    for path in tree:
        if role(path) != "source":
            continue
        parts = PurePosixPath(path).parts
        root = parts[0] if parts[0] in ("src", "lib") and len(parts) > 1 else ""
        inner = parts[1:] if root else parts
        if len(inner) == 1 or f"{root}/{inner[0]}/__init__.py".lstrip("/") in tree:
            found[root, inner[0].removesuffix(".py")] = None
    return tuple(found)


def resolve(wanted: Iterable[str]) -> tuple[str, ...]:
    """Pins of wheels that satisfy all of ``wanted``, of what these need too.

    Raises:
        Rejected: pip finds none.
    """
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet",
               "--disable-pip-version-check", "--only-binary=:all:", "--report", "-",
               *sorted(set(wanted))]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise Rejected("no_environment", f"pip needs more than {_SECONDS} s to resolve it") from None
    if done.returncode != 0:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise Rejected("no_environment", (errors or ["pip cannot resolve it"])[-1])
    metadata = [each["metadata"] for each in json.loads(done.stdout)["install"]]
    return tuple(sorted(f"{canonicalize_name(each['name'])}=={each['version']}" for each in metadata))


def _wanted(tree: Tree, about: Distribution, own: set[str]) -> tuple[Sequence[str], Sequence[str]]:
    """What the package and its tests ask for, and the plugins of pytest among it."""
    needs = [each for each in about.requires if each.marker is None or each.marker.evaluate({"extra": ""})]
    known = {canonicalize_name(each.name): each for each in about.requires}
    wanted = {str(_plain(each)) for each in needs} | {"pytest"}
    code = {path: tree[path].data for path in tree if is_test_code(path) and path.endswith(".py")}
    for module in sorted(_imported(code.values())):
        if module in own or module in sys.stdlib_module_names or module in ("pytest", "tests", "test"):
            continue
        name = canonicalize_name(_DISTRIBUTIONS.get(module, module))
        if name in known:
            wanted.add(str(_plain(known[name])))
        elif name in _OPEN:
            wanted.add(name)
    text = b"\n".join(code.values()).decode("utf-8", "replace")
    used = {name: plugin for name, (plugin, sign) in _PLUGINS.items() if re.search(sign, text)}
    return (*wanted, *used), tuple(used.values())


# What tests may import without the package's metadata saying so: what many a requirements file holds.
_OPEN = {
    "hypothesis", "freezegun", "pytz", "tzdata", "python-dateutil", "pyyaml", "typing-extensions", "numpy",
    "time-machine", "pretend", "simplejson", "ordered-set", "docutils", "pygments", "markupsafe", "jinja2",
}  # fmt: skip


def _plain(requirement: Requirement) -> Requirement:
    """Without the marker, which was looked at."""
    plain = Requirement(str(requirement))
    plain.marker = None
    return plain


def _imported(sources: Iterable[bytes]) -> set[str]:
    return {module for source in sources for module in _modules(source)}


def _modules(source: bytes) -> Iterator[str]:
    try:
        tree = parse_python(source)
    except ValueError:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name.partition(".")[0] for each in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module.partition(".")[0]


def _classified(told: Message) -> str:
    known = [str(line) for line in told.get_all("Classifier", []) if str(line).startswith("License ::")]
    return known[0].rpartition("::")[2].strip() if known else ""


def _line(text: object) -> str:
    lines = str(text or "").strip().splitlines()
    return lines[0][:80] if lines else ""
