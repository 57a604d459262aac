"""Files read into models, and what is said when they do not fit."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from deepgym_envs.errors import TaskError
from deepgym_envs.manifest import Manifest, parse_manifest, read_manifest


class Inner(Manifest):
    depth: int = 0


class Outer(Manifest):
    name: str
    inner: Inner = Inner()
    maybe: Inner | None = None


def complaint(tmp_path: Path, text: str | bytes) -> str:
    place = tmp_path / "outer.toml"
    place.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(TaskError) as caught:
        read_manifest(place, Outer)
    assert all(line.startswith(str(place)) for line in str(caught.value).splitlines())
    return str(caught.value).replace(str(place), "outer.toml")


def test_a_good_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "outer.toml").write_text('name = "größe"\n[inner]\ndepth = 2\n', encoding="utf-8")
    assert read_manifest(tmp_path / "outer.toml", Outer) == Outer(name="größe", inner=Inner(depth=2))


def test_a_manifest_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Outer(name="x").name = "y"


def test_a_missing_file_says_to_write_it(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match=r"none\.toml: there is no such file; write it"):
        read_manifest(tmp_path / "none.toml", Outer)


def test_an_unknown_key_suggests_the_nearest(tmp_path: Path) -> None:
    assert (
        complaint(tmp_path, 'nmae = "x"\nname = "x"') == "outer.toml: nmae: unknown key; did you mean 'name'?"
    )
    assert "inner.dept: unknown key; did you mean 'depth'?" in complaint(
        tmp_path, 'name = "x"\n[inner]\ndept = 1'
    )
    assert "known keys: depth, inner, maybe, name" in complaint(tmp_path, 'name = "x"\nzzz = 1')


def test_a_missing_key_says_to_add_it(tmp_path: Path) -> None:
    assert complaint(tmp_path, "") == "outer.toml: name: missing; add it"


def test_a_wrong_value_is_shown(tmp_path: Path) -> None:
    said = complaint(tmp_path, 'name = "x"\n[inner]\ndepth = "deep"')
    assert said.startswith("outer.toml: inner.depth: Input should be a valid integer")
    assert said.endswith("(found 'deep')")


def test_every_mistake_is_named_at_once(tmp_path: Path) -> None:
    assert len(complaint(tmp_path, "x = 1\n[inner]\ndepth = []").splitlines()) == 3


def test_what_is_not_toml_or_not_utf8_says_where(tmp_path: Path) -> None:
    assert complaint(tmp_path, "name = ").startswith("outer.toml: not valid TOML: ")
    assert complaint(tmp_path, b'name = "\xff"') == "outer.toml: not UTF-8 at byte 8; save the file as UTF-8"


def test_data_from_elsewhere_is_named_in_complaints() -> None:
    with pytest.raises(TaskError, match=r"^row 3: name: missing"):
        parse_manifest({}, Outer, "row 3")
