"""Operators that are registered.  Every test has names of its own, since they stay."""

import re

import pytest

from rangelock import (
    MarkerError, PackageIndex, dumps, loads, lock_from_resolution, make_release, parse_marker, parse_requirement, resolve,
)

ENV = {"os": "plan9", "cpu": "mips", "level": "7", "tags": "a,b"}


def register(name, test):
    from rangelock.markers import register_operator
    register_operator(name, test)


def holds(text, **changes):
    return parse_marker(text).holds({**ENV, **changes})


def test_word():
    register("ends", str.endswith)
    assert [holds('os ends "9"'), holds('os ends "8"'), holds('os not ends "8"'), holds('os not ends "9"')] == [
        True, False, True, False]


@pytest.mark.parametrize("name", ["~", "^", "|", "*", "%%", "&&", "=<", "!", "<>", "<=>", "=", "**|"], ids=[
    "tilde", "caret", "bar", "star", "percents", "ands", "equal-less", "bang", "diamond", "ship", "equal", "mixed"])
def test_symbols(name):
    register(name, lambda value, text: value + text == "plan9!")
    assert [holds(f'os {name} "!"'), holds(f'os{name}"!"'), holds(f'os {name} "?"')] == [True, True, False]
    assert str(parse_marker(f'not  os{name}"!"')) == f'not os {name} "!"'


def test_longest_symbol_registered_last():
    register("~^", lambda value, text: True)
    register("~^=", lambda value, text: False)
    assert [holds('os ~^ "x"'), holds('os ~^= "x"'), holds('os~^="x"')] == [True, False, False]


def test_longest_symbol_registered_first():
    register("^^!", lambda value, text: False)
    register("^^", lambda value, text: True)
    assert [holds('os ^^ "x"'), holds('os ^^! "x"'), holds('os^^!"x"')] == [True, False, False]


def test_symbols_that_extend_those_of_today():
    register("==~", lambda value, text: value.lower() == text.lower())
    register(">>", lambda value, text: len(value) > len(text))
    assert [holds('os ==~ "PLAN9"'), holds('os == "PLAN9"'), holds('os >> "abcd"'), holds('level > "6"')] == [
        True, False, True, True]


@pytest.mark.parametrize("text", ['os &= "1"', 'os =~~ "1"', 'os <!> "1"', 'os === "1"', 'os > > "1"'],
                         ids=["and-equal", "equal-tildes", "less-bang", "three", "apart"])
def test_symbols_that_nobody_registered(text):
    with pytest.raises(MarkerError):
        parse_marker(text)


def test_truth_of_the_answer():
    register("matches", lambda value, text: re.match(text, value))
    register("counts", lambda value, text: value.count(text))
    assert [holds('os matches "p.a"'), holds('os not matches "p.a"'), holds('os matches "x"'), holds('os not matches "x"')] == [
        True, False, False, True]
    assert [holds('tags counts ","'), holds('tags not counts ";"'), holds('tags counts ";"')] == [True, True, False]
    assert holds('tags counts ","') is True


def test_test_gets_value_and_text():
    seen = []
    register("notes", lambda value, text: seen.append((value, text)))
    assert holds('cpu notes " and or "') is False
    assert seen == [("mips", " and or ")]


def test_what_the_test_raises():
    def strict(value, text):
        raise KeyError(text)

    register("strictly", strict)
    with pytest.raises(KeyError):
        holds('os strictly "x"')
    with pytest.raises(MarkerError):
        parse_marker('nothing strictly "x"').holds(ENV)


def test_word_is_no_variable_from_then_on():
    assert holds('near == "1"', near="1")
    assert holds('os == "plan9" or near == "1"')
    register("near", lambda value, text: value[0] == text[0])
    for text in ('near == "1"', 'os == "plan9" or near == "1"', 'near near "1"'):
        with pytest.raises(MarkerError):
            parse_marker(text)
    assert holds('cpu near "moon"')


def test_variables_that_only_contain_the_word():
    register("has", lambda value, text: text in value)
    assert holds('hash == "1" and has_x has "b" and whas not has "z"', hash="1", has_x="abc", whas="y")
    assert str(parse_marker('hasty has "b"')) == 'hasty has "b"'


def test_negations():
    register("fits", lambda value, text: len(value) == len(text))
    marker = parse_marker('not os not fits "12345" and not (cpu fits "1" or not cpu fits "1234")')
    assert str(marker) == 'not os not fits "12345" and not (cpu fits "1" or not cpu fits "1234")'
    assert marker.holds(ENV) is True


def test_symbols_are_not_negated():
    register("=!=", lambda value, text: True)
    with pytest.raises(MarkerError):
        parse_marker('os not =!= "x"')


@pytest.mark.parametrize("text", [
    'os rhymes', 'os not rhymes', 'os rhymes os', 'rhymes "x"', 'os rhymes rhymes "x"', 'os not not rhymes "x"', 'os rhymes not "x"',
], ids=["no-text", "no-text-negated", "two-variables", "no-variable", "twice", "not-twice", "not-behind"])
def test_malformed_comparisons(text):
    if "rhymes" not in known():
        register("rhymes", lambda value, text: True)
    with pytest.raises(MarkerError):
        parse_marker(text)


def known():
    from rangelock.markers import operators
    return operators()


@pytest.mark.parametrize("name", ["", "a b", "not in", "=a", "a=", "9", "1a", "and", "or", "not", "+", "a-b", "~ ", "(", '"'], ids=[
    "empty", "two-words", "not-in", "symbol-word", "word-symbol", "digit", "digit-first", "and", "or", "not", "plus", "hyphen",
    "blank-behind", "paren", "quote"])
def test_refused_names(name):
    before = known()
    with pytest.raises(MarkerError):
        register(name, lambda value, text: True)
    assert known() == before


@pytest.mark.parametrize("name, text", [("in", 'os in "plan9"'), ("==", 'os == "plan9"'), ("<=", 'level <= "7.0"')],
                         ids=["in", "equal", "at-most"])
def test_names_that_are_taken(name, text):
    with pytest.raises(MarkerError):
        register(name, lambda value, text: False)
    assert holds(text) is True


def test_names_that_are_taken_by_registering():
    register("twice", lambda value, text: True)
    with pytest.raises(MarkerError):
        register("twice", lambda value, text: False)
    assert holds('os twice "x"') is True


def test_list_of_operators():
    from rangelock.markers import operators, register_operator
    before = operators()
    assert [name for name in before if name in ("==", "!=", "<", "<=", ">", ">=", "in")] == [
        "!=", "<", "<=", "==", ">", ">=", "in"]
    register_operator("zzz", str.startswith)
    register_operator("!%!", str.startswith)
    assert operators() == tuple(sorted([*before, "zzz", "!%!"]))
    assert "not in" not in operators()


def test_words_differ_by_case():
    register("IN", lambda value, text: False)
    assert [holds('os IN "plan9"'), holds('os in "plan9"')] == [False, True]


def test_requirements_and_locks():
    register("runs", lambda value, text: value in text.split())
    text = 'app * ; os runs "plan9 minix" and not os not runs "plan9"'
    assert str(parse_requirement(text)) == text
    index = PackageIndex([make_release("app", "1.0.0", ['lib >=1 ; cpu not runs "arm"', 'tool ; cpu runs "arm"']),
                          make_release("lib", "1.1.0"), make_release("lib", "1.2.0"), make_release("tool", "1.0.0")])
    found = resolve([text], index, ENV, constraints=['lib <1.2 ; cpu runs "mips"', 'lib <1.1 ; cpu runs "arm"'])
    assert found.versions() == {"app": "1.0.0", "lib": "1.1.0"}
    written = dumps(lock_from_resolution(found))
    assert '  requires lib >=1 ; cpu not runs "arm"\n' in written
    assert dumps(loads(written)) == written
