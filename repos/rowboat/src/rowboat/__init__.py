"""Rowboat: a small SQL engine over tables in memory."""

from .database import Database, Result
from .table import Index, Table

__version__ = "0.9.0"

__all__ = ["Database", "Index", "Result", "Table"]
