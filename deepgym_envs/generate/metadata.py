"""What a package tells of itself: in the metadata of a source release, or in the files of its repository.

All of it is read as data. Of a ``setup.py`` only literals are seen, nothing of it is executed.
"""

from __future__ import annotations

import ast
import configparser
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser
from pathlib import PurePosixPath
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidName, canonicalize_name
from packaging.version import InvalidVersion, Version

from deepgym_envs.generate.candidate import Rejected
from deepgym_envs.layout import role
from deepgym_envs.state import Tree
from deepgym_envs.syntax import parse_python
from deepgym_envs.text import one_line

METADATA = "PKG-INFO"
_GROUPS = {"test", "tests", "testing", "dev"}
_UNKNOWN_VERSION = "0"
_REQUIREMENTS = re.compile(r"(requirements/[^/]+|[^/]*requirements[^/]*)\.txt")


@dataclass(frozen=True)
class Distribution:
    """What a package tells of itself. ``name`` is in its canonical spelling; of ``requires`` those that it
    needs only for something, such as its tests, have a marker that names the extra."""

    name: str
    version: str
    summary: str
    license: str
    requires: tuple[Requirement, ...]


def distribution(tree: Tree) -> Distribution:
    """Read the metadata of a source release, or else of a repository, whose version is 0 where no file tells
    it.

    Of a repository count ``pyproject.toml``, then ``setup.cfg``, then ``setup.py``, and for what its tests
    need the extras, dependency groups and files of requirements that are called so. These also count for a
    release whose metadata does not speak of it.

    Raises:
        Rejected: it has none, or it cannot be read.
    """
    try:
        return _of_release(tree) if METADATA in tree else _of_repository(tree)
    except InvalidRequirement as error:
        raise Rejected("unreadable", f"a requirement: {one_line(str(error))}") from None
    except InvalidName as error:
        raise Rejected("unreadable", f"its name: {one_line(str(error))}") from None
    except InvalidVersion as error:
        raise Rejected("unreadable", f"its version: {one_line(str(error))}") from None


def _of_release(tree: Tree) -> Distribution:
    told: Message = BytesParser().parsebytes(tree[METADATA].data, headersonly=True)
    name, version = told.get("Name"), told.get("Version")
    if not name or not version:
        raise Rejected("unreadable", f"{METADATA}: names no package and version")
    licence = told.get("License-Expression") or told.get("License") or _classified(told) or ""
    requires = [Requirement(str(line)) for line in told.get_all("Requires-Dist", [])]
    known = {canonicalize_name(each.name) for each in requires}
    more = [
        each for each in _unsaid(tree, everything=not requires) if canonicalize_name(each.name) not in known
    ]
    return _checked(str(name), str(version), str(told.get("Summary", "")), str(licence), (*requires, *more))


def _unsaid(tree: Tree, *, everything: bool) -> Iterator[Requirement]:
    """What the files of a release tell besides its metadata: what its tests need, or ``everything``."""
    try:
        repository = _of_repository(tree).requires
    except (Rejected, ValueError):
        repository = ()  # nobody needs it to be one
    for each in repository:
        if everything or (each.marker is not None and "extra ==" in str(each.marker)):
            yield each
    for path, file in tree.items():
        if path.endswith(".egg-info/requires.txt"):
            sections = re.split(r"^\[(.*)\]$", file.data.decode("utf-8", "replace"), flags=re.MULTILINE)
            if everything:
                yield from map(Requirement, _strings(sections[0]))
            named = dict(zip(sections[1::2], map(_strings, sections[2::2]), strict=True))
            yield from _for_tests(line for lines in _named_for_tests(named).values() for line in lines)


def _checked(
    name: str, version: str, summary: str, licence: str, requires: Iterable[Requirement]
) -> Distribution:
    Version(version)
    return Distribution(
        canonicalize_name(name, validate=True),
        version.strip(),
        _line(summary),
        _line(licence) or "unknown",
        tuple(requires),
    )


def _of_repository(tree: Tree) -> Distribution:
    told: dict[str, Any] = {}
    for path, read in _READERS.items():
        if path in tree:
            try:
                found = read(tree[path].data)
            except (ValueError, RecursionError, configparser.Error, AttributeError, TypeError) as error:
                raise Rejected("unreadable", f"{path}: {one_line(str(error))}") from None
            told = {**found, **told}
    if not isinstance(told.get("name"), str):
        raise Rejected("unreadable", "no file of it tells the package's name as a literal")
    files = dict(_requirement_files(tree))
    needs = _strings(told.get("requires"))
    if "requires" not in told:
        needs = files.get("requirements.txt", ())
    extra = [line for group in (told.get("extras") or {}).values() for line in _strings(group)]
    extra += [line for lines in files.values() for line in lines]
    version = told.get("version")
    return _checked(
        told["name"],
        version if isinstance(version, str) and _is_version(version) else _told_version(tree),
        str(told.get("summary", "")),
        str(told.get("license", "")),
        [*map(Requirement, needs), *_for_tests(extra)],
    )


def _for_tests(lines: Iterable[str]) -> Iterator[Requirement]:
    """Requirements of tests, as an extra of the package would name them; what is none is left out."""
    for line in lines:
        try:
            found = Requirement(line)
            marker = f"({found.marker}) and " if found.marker else ""
            plain = Requirement(line)
            plain.marker = None
            yield Requirement(f"{plain} ; {marker}extra == 'test'" if not found.url else str(found))
        except InvalidRequirement:
            continue


def _from_pyproject(data: bytes) -> Mapping[str, Any]:
    told = tomllib.loads(data.decode())
    project, groups = told.get("project", {}), told.get("dependency-groups", {})
    poetry = told.get("tool", {}).get("poetry", {})
    found: dict[str, Any] = {}
    if "name" in project:
        licence = project.get("license", "")
        licence = licence.get("text", "") if isinstance(licence, dict) else licence
        dynamic = project.get("dynamic", [])
        found = {"name": project["name"], "summary": project.get("description", ""), "license": licence}
        found |= {"version": project["version"]} if "version" in project else {}
        if "dependencies" not in dynamic:
            found["requires"] = project.get("dependencies", [])
        groups = {**groups, **project.get("optional-dependencies", {})}
    elif "name" in poetry:
        # Its ranges are of another grammar, so only the names count.
        needs = [name for name in poetry.get("dependencies", {}) if name != "python"]
        more = [table.get("dependencies", {}) for table in poetry.get("group", {}).values()]
        groups = {"test": [name for table in (*more, poetry.get("dev-dependencies", {})) for name in table]}
        found = {"name": poetry["name"], "summary": poetry.get("description", ""), "requires": needs}
        found |= {"version": poetry.get("version"), "license": poetry.get("license", "")}
    chosen = _named_for_tests(groups)
    return {**found, **({"extras": chosen} if chosen else {})}


def _from_setup_cfg(data: bytes) -> Mapping[str, Any]:
    config = configparser.RawConfigParser()
    config.read_string(data.decode())
    sections = {name: dict(config.items(name)) for name in config.sections()}
    about, options = sections.get("metadata", {}), sections.get("options", {})
    found: dict[str, Any] = {key: about[key] for key in ("name", "version", "license") if key in about}
    if "description" in about:
        found["summary"] = about["description"]
    if "install_requires" in options:
        found["requires"] = options["install_requires"]
    extras = dict(sections.get("options.extras_require", {}))
    if "tests_require" in options:
        extras["test"] = "\n".join([extras.get("test", ""), options["tests_require"]])
    chosen = _named_for_tests(extras)
    return {**found, **({"extras": chosen} if chosen else {})}


def _from_setup_py(data: bytes) -> Mapping[str, Any]:
    module = parse_python(data)
    known = {
        target.id: node.value
        for node in module.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    call = next((node for node in ast.walk(module) if _is_setup(node)), None)
    if not isinstance(call, ast.Call):
        return {}
    given: dict[str, Any] = {}
    for keyword in call.keywords:
        value = keyword.value
        value = known.get(value.id, value) if isinstance(value, ast.Name) else value
        try:
            given[keyword.arg or ""] = ast.literal_eval(value)
        except (ValueError, TypeError):
            continue
    names = {"name": "name", "version": "version", "description": "summary", "license": "license"}
    found: dict[str, Any] = {
        ours: given[theirs] for theirs, ours in names.items() if isinstance(given.get(theirs), str)
    }
    keywords = {keyword.arg for keyword in call.keywords}
    if "install_requires" in keywords and "install_requires" not in given:
        raise ValueError("install_requires is not a literal")
    extras = given.get("extras_require") or {}
    tests = {"test": _strings(given.get("tests_require"))} if "tests_require" in given else {}
    chosen = {**_named_for_tests(extras), **tests}
    # Without the keyword it says that there are none, unless another file has said otherwise.
    found["requires"] = given.get("install_requires") or []
    return {**found, **({"extras": chosen} if chosen else {})}


def _is_setup(node: ast.AST) -> bool:
    called = node.func if isinstance(node, ast.Call) else None
    return (isinstance(called, ast.Name) and called.id == "setup") or (
        isinstance(called, ast.Attribute) and called.attr == "setup"
    )


_READERS: Mapping[str, Callable[[bytes], Mapping[str, Any]]] = {
    "pyproject.toml": _from_pyproject,
    "setup.cfg": _from_setup_cfg,
    "setup.py": _from_setup_py,
}


def _named_for_tests(groups: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: lines for name, lines in groups.items() if str(name).lower() in _GROUPS}


def _strings(told: object) -> tuple[str, ...]:
    """A list of requirements, or lines of them, without comments."""
    lines = told.splitlines() if isinstance(told, str) else told if isinstance(told, list | tuple) else ()
    texts = [re.sub(r"(^|\s)#.*", "", line).strip() for line in lines if isinstance(line, str)]
    return tuple(text for text in texts if text)


def _requirement_files(tree: Tree) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The requirements in files that are called so, without options, links and further files."""
    for path, file in tree.items():
        if _REQUIREMENTS.fullmatch(path):
            lines = _strings(file.data.decode("utf-8", "replace").replace("\\\n", " "))
            plain = [line.partition(" --")[0].strip() for line in lines if not line.startswith("-")]
            yield path, tuple(line for line in plain if "://" not in line)


def _told_version(tree: Tree) -> str:
    """What a module calls its ``__version__``."""
    for path, file in tree.items():
        name = PurePosixPath(path).name
        if role(path) == "source" and name in ("__init__.py", "__version__.py", "_version.py", "version.py"):
            found = re.search(rb"^__version__\s*=\s*['\"]([^'\"\n]+)['\"]", file.data, re.MULTILINE)
            if found and _is_version(found[1].decode("utf-8", "replace")):
                return found[1].decode()
    return _UNKNOWN_VERSION


def _is_version(text: str) -> bool:
    try:
        Version(text)
    except InvalidVersion:
        return False
    return True


def _classified(told: Message) -> str:
    known = [str(line) for line in told.get_all("Classifier", []) if str(line).startswith("License ::")]
    return known[0].rpartition("::")[2].strip() if known else ""


def _line(text: str) -> str:
    lines = text.strip().splitlines()
    return one_line(lines[0])[:80] if lines else ""
