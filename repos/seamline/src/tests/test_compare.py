import pytest

from seamline import Change, Folding, compare


def changes(old, new):
    return [tuple(change) for change in compare(list(old), list(new))]


def test_changes_at_one_place():
    assert changes("", "") == changes("abc", "abc") == []
    assert changes("", "ab") == [(0, 0, 0, 2)]
    assert changes("ab", "") == [(0, 2, 0, 0)]
    assert changes("abc", "axc") == [(1, 2, 1, 2)]
    assert changes("abc", "abxc") == [(2, 2, 2, 3)]
    assert changes("ab", "cd") == [(0, 2, 0, 2)]


def test_several_changes():
    assert changes("abcd", "bcde") == [(0, 1, 0, 0), (4, 4, 3, 4)]
    assert changes("abcabba", "cbabac") == [(0, 2, 0, 0), (3, 3, 1, 2), (5, 6, 4, 4), (7, 7, 5, 6)]


def test_common_head_and_tail_do_not_overlap():
    assert changes("aa", "aaa") == [(2, 2, 2, 3)]
    assert changes("aaa", "aa") == [(2, 3, 2, 2)]


def test_shortest_in_the_middle_of_much_that_is_the_same():
    old = [f"line {number}\n" for number in range(300)]
    new = old[:100] + ["fresh\n"] + old[101:200] + old[210:]
    assert compare(old, new) == [Change(100, 101, 100, 101), Change(200, 210, 200, 200)]


def test_last_line_without_its_end_is_another_line():
    assert compare(["a\n", "b\n"], ["a\n", "b"]) == [Change(1, 2, 1, 2)]


def test_folding():
    assert compare(["A\n", "b \n"], ["a\n", "b\n"], Folding("case")) == [Change(1, 2, 1, 2)]
    assert compare(["A\n", "b \n"], ["a\n", "b\n"], Folding("case", "space")) == []
