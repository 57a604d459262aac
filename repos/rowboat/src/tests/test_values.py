import pytest

from rowboat.errors import EvaluationError, ParameterError


def test_arithmetic(value):
    assert [value(text) for text in ("7 / 2", "-7 / 2", "7 / 2.0", "1 + 0.5")] == [3, -3, 3.5, 1.5]
    assert [value(text) for text in ("7 / 0", "7.5 / 0", "-NULL", "'a' || NULL")] == [None] * 4


def test_functions(value):
    assert value("COALESCE(NULL, NULL, 2)") == 2
    assert value("COALESCE(NULL)") is None
    assert value("NULLIF(1, 1.0)") is None
    assert value("NULLIF(1, NULL)") == 1


@pytest.mark.parametrize("expression, expected", [
    ("'a' < 'b'", True), ("TRUE < 0", True), ("2 < '1'", True), ("1 = 1.0", True), ("TRUE = 1", False),
    ("'Z' < 'a'", True),
])
def test_one_order_of_all_values(value, expression, expected):
    assert value(expression) is expected


def test_unknown(value):
    for expression in ("NULL = NULL", "1 <> NULL", "NULL < 1", "NULL AND TRUE", "NULL OR FALSE", "NOT NULL"):
        assert value(expression) is None


@pytest.mark.parametrize("expression, expected", [
    ("NULL AND FALSE", False), ("FALSE AND NULL", False), ("NULL OR TRUE", True), ("TRUE OR NULL", True),
    ("5 BETWEEN NULL AND 3", False), ("5 NOT BETWEEN NULL AND 3", True), ("4 BETWEEN NULL AND 5", None),
    ("1 IN (NULL, 1)", True), ("2 IN (NULL, 1)", None), ("2 NOT IN (NULL, 1)", None), ("NULL IN (1)", None),
    ("NULL IS NULL", True), ("0 IS NULL", False),
])
def test_three_values(value, expression, expected):
    assert value(expression) is expected


@pytest.mark.parametrize("expression, message", [
    ("1 + 'a'", "cannot compute INTEGER + TEXT"), ("TRUE + 1", "cannot compute BOOLEAN + INTEGER"),
    ("1 || 'a'", "cannot compute INTEGER || TEXT"), ("1 AND TRUE", "a condition must be BOOLEAN, not INTEGER"),
    ("NOT 'a'", "a condition must be BOOLEAN, not TEXT"), ("1e308 * 10", "number out of range"),
])
def test_no_value(value, expression, message):
    with pytest.raises(EvaluationError) as caught:
        value(expression)
    assert str(caught.value) == message


def test_what_settles_a_condition_comes_first(value):
    assert value("FALSE AND 'a' + 1 > 2") is False
    assert value("TRUE OR 'a' + 1 > 2") is True


def test_parameters(value):
    assert value("? || ?", "a", "b") == "ab"
    assert value("?", None) is None


def test_parameters_that_do_not_fit(value):
    for parameters in ((), (1, 2), (float("nan"),), (float("inf"),), ([1],), (b"x",)):
        with pytest.raises(ParameterError):
            value("?", *parameters)
