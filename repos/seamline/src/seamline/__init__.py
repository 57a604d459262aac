"""Diff, patch and merge text files."""

from .compare import Change, compare
from .document import Document
from .errors import SeamlineError
from .folding import EXACT, Folding, known_rules, register
from .hunks import Hunk, HunkLine, Span, make_hunks
from .markers import Labels
from .merging import Clean, Conflict, Merge, merge
from .patching import Outcome, PatchResult, Status, apply
from .unified import FilePatch, diff, parse, render

__version__ = "0.9.0"

__all__ = [
    "EXACT", "Change", "Clean", "Conflict", "Document", "FilePatch", "Folding", "Hunk", "HunkLine", "Labels",
    "Merge", "Outcome", "PatchResult", "SeamlineError", "Span", "Status", "apply", "compare", "diff",
    "known_rules", "make_hunks", "merge", "parse", "register", "render",
]
