"""The command line: ``seamline diff``, ``patch``, ``merge``, ``resolve`` and ``stat``.

Each command returns an exit status: 0 if all is well, 1 if there is something to
look at (differences, rejects, conflicts), 2 for trouble.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import os
import shutil
import sys
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Mapping, NoReturn, Optional, Sequence, TextIO

from . import markers, stat, unified
from .document import Document, check_encoding, split_lines
from .errors import SeamlineError, UsageError
from .folding import Folding, known_rules
from .merging import SIDES, merge
from .patching import Outcome, Status, apply
from .unified import FilePatch

OK, FINDINGS, TROUBLE = 0, 1, 2


def main(
    argv: Optional[Sequence[str]] = None,
    stdin: Optional[TextIO] = None,
    stdout: Optional[TextIO] = None,
    stderr: Optional[TextIO] = None,
) -> int:
    """Run the program and return its exit status.  It never raises ``SystemExit``."""
    stdout, stderr = stdout or sys.stdout, stderr or sys.stderr
    try:
        options = _parse_arguments(sys.argv[1:] if argv is None else argv, stdout)
        if options is None:
            return OK
        program = _Program(options.encoding, stdin or sys.stdin, stdout, stderr)
        status: int = options.command(program, options)
        return status
    except SeamlineError as error:
        stderr.write(f"seamline: {error}\n")
    except OSError as error:
        where = f"{error.filename}: " if error.filename is not None else ""
        stderr.write(f"seamline: {where}{error.strerror or error}\n")
    return TROUBLE


class _Program:
    """The files and streams of one run."""

    def __init__(self, encoding: str, stdin: TextIO, stdout: TextIO, stderr: TextIO) -> None:
        self._encoding = check_encoding(encoding)
        self._stdin: Optional[TextIO] = stdin
        self._stdout = stdout
        self._stderr = stderr

    def read(self, name: str) -> Document:
        """The document in a file, or on standard input for ``-``."""
        if name != "-":
            return Document.decode(Path(name).read_bytes(), self._encoding, name)
        if self._stdin is None:
            raise UsageError("standard input can be read only once")
        stream, self._stdin = self._stdin, None
        data = getattr(stream, "buffer", stream).read()
        if isinstance(data, str):
            return Document.from_text(data)
        return Document.decode(data, self._encoding, "standard input")

    def write(self, documents: Mapping[str, Document]) -> None:
        """Replace all these files or none.  What is meant for ``-`` goes to standard output."""
        data = {name: document.encode(name) for name, document in documents.items() if name != "-"}
        fresh: Dict[str, Path] = {}
        try:
            for name in data:
                target = os.path.realpath(name)
                fresh[name] = Path(f"{target}.seamline-new")
                with _naming(name):
                    if os.path.isdir(target):
                        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
                    fresh[name].write_bytes(data[name])
                    with contextlib.suppress(FileNotFoundError):
                        shutil.copymode(target, fresh[name])
            for name, path in fresh.items():
                with _naming(name):
                    os.replace(path, os.path.realpath(name))
        finally:
            for path in fresh.values():
                with contextlib.suppress(OSError):
                    path.unlink()
        if "-" in documents:
            self.print(documents["-"].text)

    def print(self, text: str) -> None:
        self._stdout.write(text)

    def report(self, text: str) -> None:
        self._stderr.write(text + "\n")


@contextlib.contextmanager
def _naming(name: str) -> Iterator[None]:
    """Name the file that the user meant in errors about one that stands in for it."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, name) from None


# -- commands --------------------------------------------------------------


def _diff(program: _Program, options: argparse.Namespace) -> int:
    old, new = program.read(options.old), program.read(options.new)
    old_name, new_name = _labels(options, [options.old, options.new])
    patch = unified.diff(old, new, old_name, new_name, options.context, _folding(options))
    if not patch.hunks:
        return OK
    if options.brief:
        program.print(f"Files {options.old} and {options.new} differ\n")
    else:
        program.print(unified.render(patch))
    return FINDINGS


def _patch(program: _Program, options: argparse.Namespace) -> int:
    document = program.read(options.file)
    source = program.read(options.patch)
    patch = _pick(unified.parse(source.text), options.only)
    result = apply(document, patch.hunks, options.fuzz, _folding(options), options.reverse)
    for number, outcome in enumerate(result.outcomes, 1):
        if outcome.status is not Status.APPLIED or outcome.offset or outcome.fuzz:
            program.report(f"Hunk #{number} {_describe(outcome)}")
    if not options.dry_run:
        output = options.output or options.file
        rejects = options.reject or (None if output == "-" else f"{output}.rej")
        documents = {output: result.document}
        if result.rejects and rejects:
            left = (patch.inverted() if options.reverse else patch).with_hunks(result.rejects)
            documents[rejects] = source.with_lines(split_lines(unified.render(left)))
        program.write(documents)
    return FINDINGS if result.rejects else OK


def _pick(patches: List[FilePatch], name: Optional[str]) -> FilePatch:
    """The only patch, or the only one for the file *name*."""
    wanted = [patch for patch in patches if name in (None, patch.old_name, patch.new_name)]
    if len(wanted) != 1:
        names = ", ".join(patch.name for patch in patches) or "none"
        raise UsageError(f"choose one file of the patch with --only (there are: {names})")
    return wanted[0]


def _describe(outcome: Outcome) -> str:
    if outcome.start is None:
        return "rejected"
    what = "applied" if outcome.status is Status.APPLIED else "is there already"
    details = []
    if outcome.offset:
        details.append(f"offset {outcome.offset:+d}")
    if outcome.fuzz:
        details.append(f"fuzz {outcome.fuzz}")
    return f"{what} at line {outcome.start + 1}" + (f" ({', '.join(details)})" if details else "")


def _merge(program: _Program, options: argparse.Namespace) -> int:
    base, ours, theirs = (program.read(name) for name in (options.base, options.ours, options.theirs))
    merged = merge(base, ours, theirs, _folding(options))
    if options.favor:
        program.write({options.output: merged.settled(options.favor)})
        return OK
    base_label, ours_label, theirs_label = _labels(options, [options.base, options.ours, options.theirs])
    labels = markers.Labels(ours=ours_label, base=base_label, theirs=theirs_label)
    rendered = markers.render(merged, options.style, labels, options.marker_size)
    program.write({options.output: rendered})
    return FINDINGS if merged.conflicts else OK


def _resolve(program: _Program, options: argparse.Namespace) -> int:
    merged = markers.parse(program.read(options.file), options.marker_size)
    program.write({options.output or options.file: merged.settled(options.take)})
    return OK


def _stat(program: _Program, options: argparse.Namespace) -> int:
    patches = unified.parse(program.read(options.patch).text)
    program.print(stat.render(stat.count(patches), options.width))
    return OK


def _folding(options: argparse.Namespace) -> Folding:
    return Folding(*(options.ignore or ()))


def _labels(options: argparse.Namespace, names: List[str]) -> List[str]:
    given = options.label or []
    if len(given) > len(names):
        raise UsageError(f"too many labels: there are {len(names)} files")
    return given + names[len(given):]


# -- arguments -------------------------------------------------------------


class _Parser(argparse.ArgumentParser):
    """An argument parser that leaves it to the program to tell what is wrong."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (see {self.prog} --help)")


def _parse_arguments(argv: Sequence[str], stdout: TextIO) -> Optional[argparse.Namespace]:
    """The options, or None if only help was asked for."""
    with contextlib.redirect_stdout(stdout):
        try:
            return _build_parser().parse_args(argv)
        except SystemExit:
            return None


def _build_parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="seamline", description="Diff, patch and merge text files.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    diff = _command(commands, "diff", _diff, "show what leads from one file to another")
    diff.add_argument("old")
    diff.add_argument("new")
    diff.add_argument("-U", "--context", type=int, default=3, metavar="LINES", help="lines of context")
    diff.add_argument("-q", "--brief", action="store_true", help="tell only whether the files differ")
    diff.add_argument("--label", action="append", help="use instead of a file's name, once for each file")
    _add_ignore(diff)

    patch = _command(commands, "patch", _patch, "apply a patch to a file")
    patch.add_argument("file")
    patch.add_argument("patch")
    patch.add_argument("-o", "--output", help="write here instead of to the file itself")
    patch.add_argument("-R", "--reverse", action="store_true", help="undo the patch")
    patch.add_argument("--fuzz", type=int, default=2, metavar="LINES", help="context lines that may be given up")
    patch.add_argument("--reject", metavar="FILE", help="where hunks go that cannot be applied")
    patch.add_argument("--only", metavar="NAME", help="the file to take of a patch for several")
    patch.add_argument("--dry-run", action="store_true", help="write nothing")
    _add_ignore(patch)

    merging = _command(commands, "merge", _merge, "bring two changed versions of a file together")
    merging.add_argument("base")
    merging.add_argument("ours")
    merging.add_argument("theirs")
    merging.add_argument("-o", "--output", default="-", help="write here instead of to standard output")
    merging.add_argument("--style", choices=markers.STYLES, default="merge", help="how conflicts look")
    merging.add_argument("--marker-size", type=int, default=7, metavar="LENGTH")
    merging.add_argument("--favor", choices=SIDES, help="settle all conflicts for a side")
    merging.add_argument("--label", action="append", help="use instead of a file's name, once for each file")
    _add_ignore(merging)

    resolve = _command(commands, "resolve", _resolve, "settle the conflicts in a merged file")
    resolve.add_argument("file")
    resolve.add_argument("--take", choices=SIDES, required=True)
    resolve.add_argument("-o", "--output", help="write here instead of to the file itself")
    resolve.add_argument("--marker-size", type=int, default=7, metavar="LENGTH")

    stats = _command(commands, "stat", _stat, "show how much a patch changes")
    stats.add_argument("patch")
    stats.add_argument("--width", type=int, default=40, metavar="MARKS", help="the longest bar")
    return parser


def _command(
    commands: argparse._SubParsersAction[_Parser],
    name: str,
    run: Callable[[_Program, argparse.Namespace], int],
    summary: str,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
    parser.set_defaults(command=run)
    parser.add_argument("--encoding", default="utf-8", help="encoding of files without a byte order mark")
    return parser


def _add_ignore(parser: argparse.ArgumentParser) -> None:
    """The rules of the folding, in the order in which they are named."""
    parser.add_argument("--ignore", action="append", metavar="RULE", help=f"one of {', '.join(known_rules())}")
    for flag, rule in (("-i", "case"), ("-b", "space-change"), ("-w", "space")):
        parser.add_argument(
            flag, action="append_const", dest="ignore", const=rule, help=f"the same as --ignore {rule}"
        )
