"""What an audit found out, as tables and lines for a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from rich.box import SIMPLE
from rich.markup import escape
from rich.table import Table

from deepgym_envs.audit.report import TIERS, Finding, TierReport, shown
from deepgym_envs.cli.screen import STDOUT
from deepgym_envs.text import clean, shorten

_SHOWN = 12
_LINE_CHARS = 300


def show(reports: Sequence[TierReport]) -> None:
    """A table for each tier, what is to be looked at, and how many reports ended how."""
    for tier, title in TIERS.items():
        same = [report for report in reports if report.tier == tier]
        if same:
            STDOUT.print(_table(f"tier {tier}: {title}", same))
    for report in reports:
        for line in _lines(report):
            STDOUT.print(line, markup=False, highlight=False, soft_wrap=True)
    counts = Counter(report.status for report in reports)
    said = ", ".join(f"{counts[status]} {status}" for status in ("robust", "hackable", "inconclusive"))
    STDOUT.print(said, highlight=False)


def _table(title: str, reports: Sequence[TierReport]) -> Table:
    table = Table(box=SIMPLE, title=title, title_justify="left")
    table.add_column("task", no_wrap=True)
    headings = list(reports[0].figures())
    for heading in headings:
        table.add_column(heading, justify="left" if heading == "grader" else "right", no_wrap=True)
    table.add_column("")
    for report in reports:
        figures = report.figures()
        cells = (escape(shown(figures.get(heading))) for heading in headings)
        table.add_row(escape(report.task), *cells, report.status)
    return table


def _lines(report: TierReport) -> Iterator[str]:
    """The first findings, the worst first, and how many more there are."""
    findings = report.findings()
    for finding in findings[:_SHOWN]:
        yield f"{report.task}: {_line(finding)}"
    if len(findings) > _SHOWN:
        yield f"{report.task}: and {len(findings) - _SHOWN} more (--json and --html have all)"


def _line(finding: Finding) -> str:
    body = shorten(" ".join(clean(finding.body).split()), _LINE_CHARS)
    return f"{clean(finding.title)}: {body}" if body and "\n" not in finding.body else clean(finding.title)
