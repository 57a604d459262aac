import datetime as dt

import pytest

from tallybook import Account, AccountKind, Chart
from tallybook.errors import AccountError, UnknownAccountError


def names(accounts):
    return [account.name for account in accounts]


@pytest.fixture
def chart():
    chart = Chart()
    for name in ("Expenses:Food:Lunch", "Assets:Bank", "Expenses:Foodstuff"):
        chart.open(name)
    return chart


def test_opening_opens_the_parents(chart):
    assert names(chart) == [
        "Assets", "Assets:Bank", "Expenses", "Expenses:Food", "Expenses:Food:Lunch", "Expenses:Foodstuff",
    ]


@pytest.mark.parametrize("name", ["Cash", "Assets:", "Assets::Bank", "Assets: Bank", "Assets:A  B", "assets:Bank", ""])
def test_malformed_names(name):
    with pytest.raises(AccountError):
        Account(name)


def test_names_may_have_single_blanks():
    account = Account("Assets:Savings & Co")
    assert account.parent_name == "Assets"
    assert account.kind is AccountKind.ASSETS


def test_kinds():
    assert AccountKind.ASSETS.is_debit_normal and not AccountKind.INCOME.is_debit_normal
    assert Account("Expenses:Food").kind.is_debit_normal


def test_unknown_account(chart):
    with pytest.raises(UnknownAccountError) as caught:
        chart.get("Assets:Cash")
    assert caught.value.name == "Assets:Cash"


def test_retire(chart):
    chart.retire("Assets:Bank", dt.date(2024, 1, 1))
    assert chart.get("Assets:Bank").retired == dt.date(2024, 1, 1)
    assert chart.open("Assets:Bank").retired == dt.date(2024, 1, 1)


def test_rename_takes_the_accounts_below_along(chart):
    assert chart.rename("Expenses:Food", "Expenses:Living:Meals") == {
        "Expenses:Food": "Expenses:Living:Meals",
        "Expenses:Food:Lunch": "Expenses:Living:Meals:Lunch",
    }
    assert names(chart.of_kind(AccountKind.EXPENSES)) == [
        "Expenses", "Expenses:Foodstuff", "Expenses:Living", "Expenses:Living:Meals", "Expenses:Living:Meals:Lunch",
    ]


@pytest.mark.parametrize("new", ["Assets:Food", "Expenses:Foodstuff", "Expenses:Food:Old", "Expenses:Food", "Food"])
def test_rename_refuses(chart, new):
    before = names(chart)
    with pytest.raises(AccountError):
        chart.rename("Expenses:Food", new)
    assert names(chart) == before
