"""Reports as one HTML page that needs nothing else: no script, no network, every text escaped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from deepgym_envs.audit.audit import Report, Trial
from deepgym_envs.audit.judges import GraderName
from deepgym_envs.audit.payloads.catalogue import PAYLOADS
from deepgym_envs.audit.payloads.payload import CLASSES
from deepgym_envs.audit.policies import POLICIES
from deepgym_envs.text import clean, shorten

_POLICY = (
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
)
_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;color:#1b1b1f}
table{border-collapse:collapse;margin:1rem 0}
td,th{padding:.2rem .7rem;text-align:left;border-bottom:1px solid #ddd;vertical-align:top}
.paid{color:#b00020;font-weight:600}.refused{color:#2a6b2f}.open{color:#8a5a00}small{color:#666}
@media(prefers-color-scheme:dark){body{background:#16161a;color:#e6e6ea}td,th{border-color:#3a3a42}
.paid{color:#ff8a80}.refused{color:#8bd18f}.open{color:#ffcc80}small{color:#aaa}}
"""
_SUMMARIES = {
    **{payload.name: payload.summary for payload in PAYLOADS},
    **{policy.name: policy.summary for policy in POLICIES},
}


def html_page(reports: Sequence[Report]) -> str:
    """The page that shows ``reports``, one section for each task."""
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Audit of rewards</title>',
        _POLICY,
        f"<style>{_STYLE}</style></head><body><h1>Can these rewards be hacked?</h1>",
        "<p>A falsifier, not a prover: each payload solves nothing and must not be paid; honest work must be."
        "</p>",
        *(part for report in reports for part in _section(report)),
        "</body></html>\n",
    ]
    return "\n".join(parts)


def _section(report: Report) -> Iterator[str]:
    status = {"robust": "refused", "hackable": "paid", "inconclusive": "open"}[report.status]
    yield f'<h2>{_text(report.task)}: <span class="{status}">{report.status}</span></h2>'
    yield f"<p><small>sandbox {_text(report.sandbox)}</small></p>"
    yield "<table><tr><th>grader</th><th>paid</th><th>at most, of cheats like these</th>"
    yield "<th>honest work refused</th><th>not judged</th></tr>"
    for grader in report.graders:
        yield _summary_row(report, grader)
    yield "</table><table><tr><th></th><th>name</th>"
    yield "".join(f"<th>{_text(grader)}</th>" for grader in report.graders) + "<th>what it does</th></tr>"
    by_name: dict[tuple[str, str], dict[GraderName, Trial]] = {}
    for trial in report.trials:
        by_name.setdefault((trial.what, trial.name), {})[trial.grader] = trial
    for seen in by_name.values():
        yield _row(report, seen)
    yield "</table>"


def _summary_row(report: Report, grader: GraderName) -> str:
    bound = report.bound(grader)
    cells = (
        grader,
        f"{len(report.accepted(grader))} of {len(report.tried(grader))}",
        "-" if bound is None else f"{bound:.1%}",
        str(len(report.refused(grader))),
        str(len(report.not_judged(grader))),
    )
    return "<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in cells) + "</tr>"


def _row(report: Report, seen: dict[GraderName, Trial]) -> str:
    first = next(iter(seen.values()))
    cells = [_cell(seen.get(grader)) for grader in report.graders]
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
    return escape(shorten(clean(text), 300))
