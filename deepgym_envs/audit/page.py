"""Reports as one HTML page that needs nothing else: no script, no network, every text escaped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby

from deepgym_envs.audit.heuristics import Report, Trial
from deepgym_envs.audit.judges import GraderName
from deepgym_envs.audit.payloads import CLASSES, PAYLOADS
from deepgym_envs.audit.policies import POLICIES
from deepgym_envs.audit.report import TIERS, Finding, Severity, Status, TierReport, shown
from deepgym_envs.text import clean, shorten

_POLICY = (
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
)
_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;color:#1b1b1f}
table{border-collapse:collapse;margin:1rem 0}
td,th{padding:.2rem .7rem;text-align:left;border-bottom:1px solid #ddd;vertical-align:top}
pre{overflow-x:auto;padding:.5rem;background:#8881;font-size:13px}
.paid{color:#b00020;font-weight:600}.refused{color:#2a6b2f}.open{color:#8a5a00}small{color:#666}
@media(prefers-color-scheme:dark){body{background:#16161a;color:#e6e6ea}td,th{border-color:#3a3a42}
.paid{color:#ff8a80}.refused{color:#8bd18f}.open{color:#ffcc80}small{color:#aaa}}
"""
_SUMMARIES = {
    **{payload.name: payload.summary for payload in PAYLOADS},
    **{policy.name: policy.summary for policy in POLICIES},
}
_STATUS: dict[Status, str] = {"robust": "refused", "hackable": "paid", "inconclusive": "open"}
_SEVERITY: dict[Severity, str] = {"bad": "paid", "open": "open", "note": ""}
_CELL_CHARS, _BODY_CHARS = 300, 20_000


def html_page(reports: Sequence[TierReport]) -> str:
    """The page that shows ``reports``, one section for each task and tier."""
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Audit of rewards</title>',
        _POLICY,
        f"<style>{_STYLE}</style></head><body><h1>Can these rewards be hacked?</h1>",
        "<p>A falsifier, not a prover: what solves nothing must not be paid, and honest work must be.</p>",
    ]
    for (task, tier), same in groupby(reports, lambda report: (report.task, report.tier)):
        parts += [f"<h2>{_text(task)}</h2><h3>Tier {tier}: {_text(TIERS[tier])}</h3>", *_section(list(same))]
    return "\n".join([*parts, "</body></html>\n"])


def _section(reports: Sequence[TierReport]) -> Iterator[str]:
    """Reports of one tier on one task, which have the same figures."""
    headings = list(reports[0].figures())
    yield "<table><tr><th></th>" + "".join(f"<th>{_text(heading)}</th>" for heading in headings) + "</tr>"
    for report in reports:
        figures = report.figures()
        cells = "".join(f"<td>{_text(shown(figures.get(heading)))}</td>" for heading in headings)
        yield f'<tr><td class="{_STATUS[report.status]}">{report.status}</td>{cells}</tr>'
    yield "</table>"
    tried = [report for report in reports if isinstance(report, Report)]
    if tried:
        yield from _trials(tried)
    else:
        for report in reports:
            for finding in report.findings():
                yield _finding(finding)


def _finding(finding: Finding) -> str:
    title = f'<p class="{_SEVERITY[finding.severity]}">{_text(finding.title)}</p>'
    body = escape(shorten(clean(finding.body), _BODY_CHARS))
    return f"{title}<pre>{body}</pre>" if body else title


def _trials(reports: Sequence[Report]) -> Iterator[str]:
    """All that was tried, a line each, with a column for each grader."""
    graders = [report.grader for report in reports]
    yield "<table><tr><th></th><th>name</th>"
    yield "".join(f"<th>{_text(grader)}</th>" for grader in graders) + "<th>what it does</th></tr>"
    by_name: dict[tuple[str, str], dict[GraderName, Trial]] = {}
    for report in reports:
        for trial in report.trials:
            by_name.setdefault((trial.what, trial.name), {})[report.grader] = trial
    for seen in by_name.values():
        yield _row(graders, seen)
    yield "</table>"


def _row(graders: Sequence[GraderName], seen: dict[GraderName, Trial]) -> str:
    first = next(iter(seen.values()))
    cells = [_cell(seen.get(grader)) for grader in graders]
    about = _SUMMARIES.get(first.name, "honest work" if first.what == "honest" else "")
    label = f'<span title="{_text(CLASSES[first.letter])}">{first.letter}</span>' if first.letter else ""
    name = _text(first.name)
    return f"<tr><td>{label}</td><td>{name}</td>{''.join(cells)}<td><small>{_text(about)}</small></td></tr>"


def _cell(trial: Trial | None) -> str:
    if trial is None:
        return "<td></td>"
    good = trial.what == "honest"
    kind = "open" if trial.accepted is None else "refused" if trial.accepted is good else "paid"
    said = "not judged" if trial.accepted is None else "paid" if trial.accepted else "refused"
    return f'<td class="{kind}">{said}<br><small>{_text(trial.reason)}</small></td>'


def _text(text: str) -> str:
    return escape(shorten(clean(text), _CELL_CHARS))
