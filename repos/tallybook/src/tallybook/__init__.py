"""Tallybook: double-entry ledgers in plain text, with exact amounts."""

from .accounts import Account, AccountKind, Chart
from .closing import PeriodCloser
from .entries import Entry, Flag, Posting, Price
from .journal import JournalParser, JournalWriter, dump, dumps, load, loads
from .ledger import Ledger
from .money import Amount, Bag, Currency, CurrencyRegistry
from .rates import Rate, RateTable
from .reports import BalanceSheet, IncomeStatement, Register, TrialBalance

__version__ = "0.9.0"

__all__ = [
    "Account", "AccountKind", "Amount", "Bag", "BalanceSheet", "Chart", "Currency", "CurrencyRegistry",
    "Entry", "Flag", "IncomeStatement", "JournalParser", "JournalWriter", "Ledger", "PeriodCloser",
    "Posting", "Price", "Rate", "RateTable", "Register", "TrialBalance",
    "dump", "dumps", "load", "loads",
]
