import datetime as dt

import pytest

from tallybook import BalanceSheet, IncomeStatement, PeriodCloser, Register, TrialBalance, loads
from tallybook.errors import UnknownAccountError


def day(text):
    return dt.date.fromisoformat(text)


def rows(register):
    return [(row.description, str(row.change), str(row.balance)) for row in register.rows]


def test_trial_balance(year):
    trial = TrialBalance(year.ledger)
    assert [(line.account, str(line.debit), str(line.credit)) for line in trial.lines] == [
        ("Assets:Bank", "569.50 EUR", "0"),
        ("Liabilities:Card", "0", "9.50 EUR"),
        ("Income:Salary", "0", "1000.00 EUR"),
        ("Expenses:Food", "40.00 EUR", "0"),
        ("Expenses:Home:Rent", "400.00 EUR", "0"),
    ]
    assert trial.debit == trial.credit


def test_trial_balance_text(year):
    assert TrialBalance(year.ledger, day("2024-01-31")).render() == (
        "Account              Debit       Credit\n"
        "-------------  -----------  -----------\n"
        "Assets:Bank    1000.00 EUR\n"
        "Income:Salary               1000.00 EUR\n"
        "Total          1000.00 EUR  1000.00 EUR\n"
    )


def test_register_of_everything(year):
    register = Register(year.ledger, "Assets:Bank")
    assert str(register.opening) == "0"
    assert rows(register) == [
        ("Salary", "1000.00 EUR", "1000.00 EUR"), ("Shop", "-30.50 EUR", "969.50 EUR"), ("Rent", "-400.00 EUR", "569.50 EUR"),
    ]
    assert str(register.closing) == "569.50 EUR"


def test_register_counts_the_accounts_below(year):
    assert rows(Register(year.ledger, "Expenses", None, day("2024-02-29"))) == [
        ("Shop", "30.50 EUR", "30.50 EUR"), ("Card", "9.50 EUR", "40.00 EUR"),
    ]


def test_register_from_a_quiet_day(year):
    register = Register(year.ledger, "Assets:Bank", day("2024-02-15"))
    assert str(register.opening) == "969.50 EUR"
    assert rows(register) == [("Rent", "-400.00 EUR", "569.50 EUR")]


def test_register_opens_with_the_balance_before_its_first_day(year):
    assert str(Register(year.ledger, "Assets:Bank", day("2024-02-01"), day("2024-02-29")).opening) == "1000.00 EUR"
    assert str(Register(year.ledger, "Assets:Bank", day("2024-03-05")).opening) == "969.50 EUR"


def test_register_rows_from_the_day_of_an_entry(year):
    assert rows(Register(year.ledger, "Assets:Bank", day("2024-02-01"), day("2024-03-05"))) == [
        ("Shop", "-30.50 EUR", "969.50 EUR"), ("Rent", "-400.00 EUR", "569.50 EUR"),
    ]


def test_register_closes_with_the_balance_after_its_last_day(year):
    register = Register(year.ledger, "Assets:Bank", day("2024-02-01"), day("2024-03-05"))
    assert str(register.closing) == "569.50 EUR"
    assert register.closing == year.ledger.balance("Assets:Bank", day("2024-03-05"))


def test_register_text_from_the_day_of_an_entry(year):
    assert Register(year.ledger, "Assets:Bank", day("2024-03-05")).render() == (
        "Date            Description       Change     Balance\n"
        "----------  ---------------  -----------  ----------\n"
        "            Opening balance               969.50 EUR\n"
        "2024-03-05             Rent  -400.00 EUR  569.50 EUR\n"
    )


def test_register_leaves_out_what_changes_nothing(year):
    year.post("2024-02-20", "Move", ("Expenses:Home:Rent", 5), ("Expenses:Food", None))
    assert "Move" not in [row.description for row in Register(year.ledger, "Expenses").rows]


def test_register_text(year):
    assert Register(year.ledger, "Liabilities").render() == (
        "Date            Description     Change    Balance\n"
        "----------  ---------------  ---------  ---------\n"
        "            Opening balance                     0\n"
        "2024-02-01             Card  -9.50 EUR  -9.50 EUR\n"
    )


def test_register_of_an_unknown_account(year):
    with pytest.raises(UnknownAccountError):
        Register(year.ledger, "Assets:Cash")


def test_income_statement(year):
    statement = IncomeStatement(year.ledger, day("2024-02-01"), day("2024-12-31"))
    assert statement.income.lines == []
    assert [(line.account, str(line.balance)) for line in statement.expenses.lines] == [
        ("Expenses:Food", "40.00 EUR"), ("Expenses:Home:Rent", "400.00 EUR"),
    ]
    assert str(statement.net) == "-440.00 EUR"


def test_income_statement_text(year):
    assert IncomeStatement(year.ledger, None, day("2024-02-29")).render() == (
        "Account             Balance\n"
        "--------------  -----------\n"
        "Income:Salary   1000.00 EUR\n"
        "Total Income    1000.00 EUR\n"
        "Expenses:Food     40.00 EUR\n"
        "Total Expenses    40.00 EUR\n"
        "Net              960.00 EUR\n"
    )


def test_income_statement_after_a_rename(year):
    year.ledger.rename_account("Expenses:Home", "Expenses:Living")
    statement = IncomeStatement(year.ledger, None, day("2024-12-31"))
    assert ("Expenses:Living:Rent", "400.00 EUR") in [(line.account, str(line.balance)) for line in statement.expenses.lines]
    assert str(statement.net) == "560.00 EUR"


@pytest.mark.parametrize("close", [False, True])
def test_balance_sheet_balances(year, close):
    if close:
        PeriodCloser(year.ledger).close(day("2024-02-29"))
    sheet = BalanceSheet(year.ledger, day("2024-12-31"))
    assert str(sheet.assets.total) == "569.50 EUR"
    assert sheet.assets.total == sheet.liabilities.total + sheet.equity.total + sheet.earnings
    assert str(sheet.earnings) == ("-400.00 EUR" if close else "560.00 EUR")
    assert str(sheet.net_worth) == "560.00 EUR"


def test_net_worth_in_one_currency():
    ledger = loads(
        "price 2024-01-01 USD 0.905 EUR\n2024-01-02 x\n  Assets:A  1.01 USD @ 1 EUR\n  Assets:B\n")
    sheet = BalanceSheet(ledger, day("2024-01-02"))
    assert str(sheet.net_worth) == "-1.01 EUR, 1.01 USD"
    assert str(sheet.net_worth_in(ledger.currencies.get("EUR"))) == "-0.10 EUR"
