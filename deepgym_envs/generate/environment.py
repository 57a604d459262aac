"""From a source release, or a commit, to a recipe: what it needs, resolved and pinned, and how it is imported
and tested.

Only metadata is read; nothing of the package is executed. pip resolves the requirements to wheels, whose
metadata it reads likewise.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import PurePosixPath

from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from deepgym_envs.errors import UsageError
from deepgym_envs.generate.candidate import Rejected
from deepgym_envs.generate.metadata import METADATA, Distribution, distribution
from deepgym_envs.layout import is_test_code, role, tests_folder, tests_of
from deepgym_envs.package_index import releases
from deepgym_envs.recipe import (
    PYTEST_PYTHON,
    BundledSource,
    GitSource,
    Install,
    Needs,
    RepoRecipe,
    SdistSource,
    TestSuite,
)
from deepgym_envs.state import File, Tree
from deepgym_envs.syntax import parse_python
from deepgym_envs.text import one_line

OLDEST_PYTEST = 7  # the first line that runs on the Python of the environments
_SECONDS = 300
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
# Plugins by the options in a configuration of pytest that would be refused without them. An agent's own runs
# have them; the suite is run without such options, which measure and write what nobody asked for.
_BY_OPTION = {
    "pytest-cov": r"--(no-)?cov\b",
    "pytest-xdist": r"(?<![\w-])-n[\s=\"',]|--numprocesses|--dist\b",
    "pytest-timeout": r"--timeout\b",
    "pytest-benchmark": r"--benchmark",
}
_CONFIGURED = ("pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg")
_ADDOPTS = re.compile(
    r"^\s*addopts\s*=(.*?)(?=^\s*(?:[A-Za-z_][\w-]*\s*=|\[\w)|\Z)", re.MULTILINE | re.DOTALL
)
_ORIGIN = {"sdist": "source release", "git": "repository"}
_COMPILED = (".pyx", ".pxd", ".c", ".cc", ".cpp", ".rs", ".f90")


def make_recipe(tree: Tree, source: SdistSource | GitSource, when: datetime | None = None) -> RepoRecipe:
    """The recipe of a source release or of a commit; pip resolves what it requires, on the index that pip is
    set up with. Its tests run with a pytest of the time ``when`` it was made, or with the newest.

    Raises:
        Rejected: it is no package that tasks can be made of.
    """
    about = distribution(tree)
    tests = sorted(tests_of(tree))
    packages = import_roots(tree)
    if not tests:
        raise Rejected("no_tests", "it holds no tests")
    if not packages:
        raise Rejected("no_source", "it holds no Python that is not tests")
    compiled = [path for path in tree if path.endswith(_COMPILED) and not is_test_code(path)]
    if compiled:
        raise Rejected("not_pure", f"{compiled[0]} would have to be compiled")
    wanted, plugins = _wanted(tree, about, {module for _, module in packages})
    pins = resolve((*wanted, _pytest_of(when)) if when else wanted)
    names = {canonicalize_name(pin.partition("==")[0]) for pin in pins}
    if about.name in names:
        raise Rejected("needed_by_tests", f"the environment of its tests holds {about.name} itself")
    folders = sorted({tests_folder(path) for path in tests})
    try:
        return RepoRecipe(
            name=about.name,
            summary=f"The package {about.name}, from its {_ORIGIN[source.kind]}.",
            license=about.license,
            python=PYTEST_PYTHON,
            source=source,
            needs=Needs(pip=pins),
            install=Install(pythonpath=_import_path(tree, tests, packages)),
            test=TestSuite(
                paths=tuple(folder for folder in folders if folder) or tuple(tests),
                plugins=tuple(plugins),
                addopts=not _asked_for(tree),
            ),
        )
    except ValueError as error:
        raise Rejected("unreadable", f"no recipe can be made of it: {one_line(str(error))}") from None


def recipe_of_time(tree: Tree, usual: RepoRecipe, when: datetime | None) -> RepoRecipe:
    """``usual``, unless the tests of ``tree`` are to run with an older line of pytest, that of ``when``.

    Then it is a recipe with a name that tells its environment from others.

    Raises:
        Rejected: it is no package that tasks can be made of.
    """
    if (
        when is None
        or isinstance(usual.source, BundledSource)
        or _pytest_of(when) == _pytest_of(datetime.now(UTC))
    ):
        return usual
    return named_by_environment(make_recipe(tree, usual.source, when))


def named_by_environment(recipe: RepoRecipe) -> RepoRecipe:
    """The recipe under a name that tells it from others of its package."""
    digest = hashlib.sha256(recipe.model_dump_json(exclude={"name"}).encode()).hexdigest()[:6]
    return recipe.model_copy(update={"name": f"{recipe.name[:50]}-{digest}"})


def _pytest_of(when: datetime) -> str:
    """Asks for a pytest of the line that was current then: what older tests use of it has gone since."""
    try:
        lines = _pytest_lines(_pip_variables())
    except UsageError:  # pip is asked for wheels of it, and says what is amiss
        return "pytest"
    return f"pytest<{max([OLDEST_PYTEST, *(major for major, first in lines if first <= when)]) + 1}"


@lru_cache(maxsize=4)
def _pytest_lines(settings: frozenset[tuple[str, str]]) -> Sequence[tuple[int, datetime]]:  # noqa: ARG001 - the settings are pip's
    """The major versions of pytest, and when the first of each was there, as far as the index tells it."""
    lines: dict[int, datetime] = {}
    for release in releases("pytest"):
        major = Version(release.version).major
        lines.setdefault(major, release.uploaded or datetime.min.replace(tzinfo=UTC))
    return list(lines.items())


def _import_path(tree: Tree, tests: Sequence[str], packages: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """The folders that modules are imported from: of the packages, and of tests that import their like."""
    imported = _imported(tree[path].data for path in tests)
    folders = {path.rpartition("/")[0] for path in tests}
    beside = {
        folder
        for folder in folders
        for name in imported
        if folder and (f"{folder}/{name}.py" in tree or f"{folder}/{name}/__init__.py" in tree)
    }
    first = sorted({root or "." for root, _ in packages} | {"."})
    return (*first, *sorted(beside))


def with_metadata(tree: Tree, recipe: RepoRecipe) -> Tree:
    """``tree`` with what an installation leaves for ``importlib.metadata``, unless it is there already."""
    about = distribution(tree)
    root = next(iter(recipe.install.pythonpath))
    folder = f"{about.name.replace('-', '_')}-{about.version}.dist-info"
    place = f"{folder}/METADATA" if root == "." else f"{root}/{folder}/METADATA"
    known = re.compile(r"(.*/)?[^/]+\.(egg|dist)-info/(PKG-INFO|METADATA)")
    if any(known.fullmatch(path) for path in tree):
        return tree
    said = f"Metadata-Version: 2.1\nName: {about.name}\nVersion: {about.version}\n".encode()
    return Tree({**tree, place: File(tree[METADATA].data if METADATA in tree else said)})


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
    """Pins of wheels that satisfy all of ``wanted``, of what these need too; asks pip once for each set.

    Raises:
        Rejected: pip finds none.
    """
    return _resolved(frozenset(wanted), _pip_variables())


def _pip_variables() -> frozenset[tuple[str, str]]:
    """What decides which index pip asks, besides its files."""
    return frozenset(item for item in os.environ.items() if item[0].startswith("PIP_"))


@lru_cache(maxsize=256)
def _resolved(wanted: frozenset[str], settings: frozenset[tuple[str, str]]) -> tuple[str, ...]:  # noqa: ARG001 - the settings are pip's
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet",
               "--disable-pip-version-check", "--only-binary=:all:", "--report", "-", "--",
               *sorted(wanted)]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise Rejected("no_environment", f"pip needs more than {_SECONDS} s to resolve it") from None
    if done.returncode != 0:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise Rejected("no_environment", one_line((errors or ["pip cannot resolve it"])[-1]))
    metadata = [each["metadata"] for each in json.loads(done.stdout)["install"]]
    return tuple(sorted(f"{canonicalize_name(each['name'])}=={each['version']}" for each in metadata))


def _wanted(tree: Tree, about: Distribution, own: set[str]) -> tuple[Sequence[str], Sequence[str]]:
    """What the package and its tests ask for, and the plugins of pytest among it."""
    needs = [each for each in about.requires if _applies(each, "")]
    linked = next((each for each in needs if each.url), None)
    if linked is not None:
        # pip would build what it finds there, which runs code of it.
        raise Rejected("no_environment", f"it needs {linked.name} from an address, not from an index")
    known = {canonicalize_name(each.name): each for each in about.requires if not each.url}
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
    return (*wanted, *used, *_asked_for(tree)), tuple(used.values())


def _asked_for(tree: Tree) -> Sequence[str]:
    """The plugins that options in the configuration of pytest need."""
    texts = (tree[name].data.decode("utf-8", "replace") for name in _CONFIGURED if name in tree)
    options = "\n".join(found for text in texts for found in _ADDOPTS.findall(text))
    return [name for name, sign in _BY_OPTION.items() if re.search(sign, options)]


# What tests may import without the package's metadata saying so: what many a requirements file holds.
_OPEN = {
    "hypothesis", "freezegun", "pytz", "tzdata", "python-dateutil", "pyyaml", "typing-extensions", "numpy",
    "time-machine", "pretend", "simplejson", "ordered-set", "docutils", "pygments", "markupsafe", "jinja2",
    "attrs", "lxml", "mock", "six",
}  # fmt: skip


def _applies(requirement: Requirement, extra: str) -> bool:
    """Whether a requirement counts on this Python and machine. Raises ``Rejected`` if its marker is none."""
    try:
        return requirement.marker is None or requirement.marker.evaluate({"extra": extra})
    except (UndefinedComparison, UndefinedEnvironmentName, ValueError) as error:
        raise Rejected("unreadable", f"{requirement.name}: its marker: {one_line(str(error))}") from None


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
