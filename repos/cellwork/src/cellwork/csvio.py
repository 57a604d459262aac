"""Sheets as CSV text."""

from __future__ import annotations

import csv
import io
from typing import List

from .addresses import column_letters, parse_area
from .errors import CsvError
from .workbook import Sheet


def loads(sheet: Sheet, text: str, at: str = "A1", delimiter: str = ",") -> None:
    """Enter the fields of CSV text into a sheet, the first at *at*.

    Each field is taken as if it had been typed (:meth:`Sheet.enter`); an empty
    one makes its cell blank.  Nothing is entered if the text cannot be read.
    """
    rows = _records(text, delimiter)
    width = max((len(row) for row in rows), default=0)
    if not width:
        return
    corner = parse_area(at, sheet.name)
    block = corner._replace(bottom=corner.top + len(rows) - 1, right=corner.left + width - 1)
    block.moved_to(block.corner)
    with sheet.book.batch():
        for row, fields in enumerate(rows, corner.top):
            for column, field in enumerate(fields, corner.left):
                sheet.enter(f"{column_letters(column)}{row}", field)


def dumps(sheet: Sheet, formulas: bool = False, delimiter: str = ",") -> str:
    """The used area of a sheet as CSV text, in rows of equal length.

    It holds what the cells show, or with *formulas* their entries
    (:meth:`Sheet.entry`), which :func:`loads` reads back to the same sheet.
    """
    area = sheet.used_area()
    if area is None:
        return ""
    output = io.StringIO()
    writer = csv.writer(output, delimiter=delimiter, lineterminator="\n")
    for row in range(area.top, area.bottom + 1):
        addresses = [f"{column_letters(column)}{row}" for column in range(area.left, area.right + 1)]
        writer.writerow([sheet.entry(address) if formulas else sheet.text(address) for address in addresses])
    return output.getvalue()


def _records(text: str, delimiter: str) -> List[List[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        return list(reader)
    except csv.Error as error:
        raise CsvError(str(error), reader.line_num) from None
