"""Cellwork: a spreadsheet engine."""

from .addresses import Area, Place, Ref, parse_area
from .csvio import dumps, loads
from .functions import STANDARD, Function, FunctionLibrary
from .parser import parse_formula
from .values import Block, ErrorValue, Fault
from .workbook import Sheet, Workbook

__version__ = "0.8.0"

__all__ = [
    "Area", "Block", "ErrorValue", "Fault", "Function", "FunctionLibrary", "Place", "Ref", "STANDARD", "Sheet",
    "Workbook", "dumps", "loads", "parse_area", "parse_formula",
]
