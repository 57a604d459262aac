"""JSON that could be understood in two ways, or that only some programs write, is not read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs.strict_json import read_json, write_json

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters()), inner, max_size=3),
)


@given(st.dictionaries(st.text().filter(lambda name: name not in ("format", "kind")), values, max_size=4))
def test_what_was_written_is_read_back(data: dict[str, object]) -> None:
    assert read_json(write_json("thing", data), "thing") == data


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nothing",
        "[]",
        "3",
        "null",
        '"format"',
        "{",
        '{"format":1}',
        '{"kind":"thing"}',
        '{"format":1.0,"kind":"thing"}',
        '{"format":1,"kind":["thing"]}',
        '{"format":1,"kind":"thing","a":NaN}',
        '{"format":1,"kind":"thing","a":-Infinity}',
        '{"format":1,"kind":"thing","a":1,"a":2}',
        '{"format":1,"kind":"thing"} {}',
        '{"format":1,"kind":"thing","a":' + "[" * 100_000,
        '{"format":1,"kind":"thing","a":' + "9" * 5_000 + "}",
    ],
    ids=lambda text: text[:40],
)
def test_what_is_in_doubt_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="this"):
        read_json(text, "thing")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_not_written(value: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json("thing", {"a": value})
