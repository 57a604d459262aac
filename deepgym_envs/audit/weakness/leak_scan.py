"""Looks for given lines in all that an agent's process can read, inside a box: from a job on standard input,
and the places to descriptor 3.

It runs as the agent's user, and reads: every regular file, also in archives and notebooks; all objects of
every git repository, reachable or not; compiled modules; the environment and the arguments of processes. It
needs nothing but the standard library of Python 3.8 or newer, and git where there are packed objects.
"""

from __future__ import annotations

import bz2
import contextlib
import gzip
import importlib.util
import io
import json
import lzma
import marshal
import os
import stat
import subprocess
import sys
import tarfile
import time
import types
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

REPORT = 3
CHUNK = 16 << 20
WHOLE = 64 << 20  # of what is unpacked, at most
BINARY = 8 << 20  # of what is neither text nor known, files up to here are searched
NEEDLES = 24
DEEP = 2  # archives in archives
ROWS, PLACE_CHARS, LINES = 200, 300, 100
FEW_BYTES = 150  # code that is shorter looks like other code
OWN = ("/workspace", "/opt", "/tmp", "/srv", "/var", "/etc")  # where tasks differ
FIRST = (*OWN, "/home", "/root", "/usr/local")
NEVER = ("/proc", "/sys", "/dev")
AROUND = b" \t\r\n\f\"'`,+-<>|#*\\"  # what stands around a line in a patch, a quotation, a notebook
NO_SOURCE = (b"\x7fELF", b"!<arch>", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"OTTO", b"\0\1\0\0")
ESCAPED = (".ipynb", ".json", ".jsonl")
MAGIC = (b"PK", b"\x1f\x8b", b"BZh", b"\xfd7zXZ")
PACKED = {".gz": gzip.decompress, ".bz2": bz2.decompress, ".xz": lzma.decompress}


class Late(Exception):
    """Time is up."""


def main() -> None:
    job = json.load(sys.stdin)
    scan = Scan(job, os.fdopen(os.dup(REPORT), "wb"))
    late = False
    try:
        scan.everything(system=job["system"])
    except Late:
        late = True
    scan.tell(end=scan.rows, files=scan.files, bytes=scan.bytes, unread=scan.unread[:20], late=late)


def plain_line(line: bytes) -> bytes:
    return b" ".join(line.strip(AROUND).split())


class Scan:
    """Finds out where the wanted lines are, and tells."""

    def __init__(self, job: dict[str, Any], report: Any) -> None:
        self.wanted: dict[bytes, int] = {}
        for number, line in enumerate(job["lines"]):
            self.wanted.setdefault(plain_line(line.encode()), number)
        self.shortest = min(map(len, self.wanted), default=0)
        self.needles = sorted(self.wanted, key=len)[-NEEDLES:]
        self.codes = code_of(job["new"]) - code_of(job["old"])
        self.until = time.monotonic() + float(job["seconds"])
        self.own = os.path.dirname(os.path.abspath(__file__))
        self.unread: list[str] = []
        self.rows = self.files = self.bytes = 0
        self.report = report

    def tell(self, **what: Any) -> None:
        self.report.write(json.dumps(what).encode() + b"\n")
        self.report.flush()

    def note(self, place: str, lines: Iterable[int], compiled: int = 0) -> None:
        """Tell that something was found there; of a file in parts more than once."""
        found = sorted(lines)
        if (found or compiled) and self.rows < ROWS:
            self.rows += 1
            place = place.encode("utf-8", "replace").decode()[-PLACE_CHARS:]
            self.tell(place=place, lines=found[:LINES], compiled=compiled)

    def everything(self, *, system: bool) -> None:
        """Look into all that there is, what belongs to the task before what belongs to the ``system``."""
        self.processes()
        self.folders(*((*FIRST, "/") if system else OWN))

    def folders(self, *tops: str) -> None:
        """Look into all below some folders, into each once."""
        never = {*NEVER, self.own}
        for top in tops:
            for folder, folders, names in os.walk(top):
                folders[:] = [name for name in folders if os.path.join(folder, name) not in never]
                if "HEAD" in names and "objects" in folders:
                    self.repository(folder)
                for name in names:
                    self.file(os.path.join(folder, name))
            never.add(top)

    def processes(self) -> None:
        for number in filter(str.isdigit, os.listdir("/proc")):
            for what in ("environ", "cmdline"):
                with contextlib.suppress(OSError):
                    with open(f"/proc/{number}/{what}", "rb") as file:
                        data = file.read(CHUNK)
                    self.text(f"process {number}: {what}", data.replace(b"\0", b"\n"))

    def file(self, place: str) -> None:
        if time.monotonic() > self.until:
            raise Late
        try:
            info = os.lstat(place)
            if not stat.S_ISREG(info.st_mode):
                return
            with open(place, "rb") as file:
                self.files += 1
                self.stream(place, file, info.st_size)
        except OSError:
            return  # the agent cannot read it either

    def stream(self, place: str, file: Any, size: int) -> None:
        head = file.read(8192)
        if head.startswith(NO_SOURCE):
            return
        if b"\0" in head or is_packed(place):
            if size <= (WHOLE if is_packed(place) or place.endswith(".pyc") else BINARY):
                self.content(place, head + file.read(), DEEP)
            return
        rest, part = b"", head
        while part:
            self.text(place, rest + part)
            rest = (rest + part)[-4096:]  # a line may lie across the cut
            part = file.read(CHUNK)

    def content(self, place: str, data: bytes, deep: int) -> None:
        """Look into the whole of a file, or of what was in one."""
        self.bytes += len(data)
        if is_packed(place) and deep:
            try:
                self.unpack(place, data, deep)
                return
            except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, zipfile.BadZipFile,
                    tarfile.TarError, NotImplementedError, RuntimeError):  # fmt: skip
                if data.startswith(MAGIC):
                    self.unread.append(place[-PLACE_CHARS:])
        if place.endswith(".pyc"):
            self.compiled(place, data)
        elif b"\0" in data[:8192]:
            self.note(place, [self.wanted[needle] for needle in self.needles if needle in data])
        else:
            self.text(place, data)

    def text(self, place: str, data: bytes) -> None:
        self.bytes += len(data)
        if place.endswith(ESCAPED):
            data = data.replace(b"\\n", b"\n").replace(b'\\"', b'"')
        found = {plain_line(line) for line in data.split(b"\n") if len(line) >= self.shortest}
        self.note(place, [self.wanted[line] for line in found if line in self.wanted])

    def unpack(self, place: str, data: bytes, deep: int) -> None:
        if zipfile.is_zipfile(io.BytesIO(data)):
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                for member in archive.infolist():
                    if not member.is_dir() and member.file_size <= WHOLE:
                        self.content(f"{place}!{member.filename}", archive.read(member), deep - 1)
            return
        stem, end = os.path.splitext(place)
        if end in PACKED and not stem.endswith(".tar"):
            self.content(place + "!" + os.path.basename(stem), PACKED[end](data), deep - 1)
            return
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            for each in archive:
                file = archive.extractfile(each) if each.isfile() and each.size <= WHOLE else None
                if file is not None:
                    self.content(f"{place}!{each.name}", file.read(), deep - 1)

    def compiled(self, place: str, data: bytes) -> None:
        """A compiled module holds no lines; what its functions do is compared."""
        if data[:4] != importlib.util.MAGIC_NUMBER:
            return  # of another Python; the source that it was made from would have been read
        try:
            whole = marshal.loads(data[16:])
        except (ValueError, EOFError, TypeError):
            return
        if isinstance(whole, types.CodeType):
            self.note(place, (), len(self.codes.intersection(code_keys(whole))))

    def repository(self, folder: str) -> None:
        """Every object of a git repository."""
        command = ["git", "-c", "safe.directory=*", "--git-dir", folder, "cat-file", "--batch-all-objects",
                   "--batch", "--unordered"]  # fmt: skip
        try:
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as git:
                for name, data in objects(git.stdout):
                    self.content(f"{folder}: object {name}", data, DEEP)
                    if time.monotonic() > self.until:
                        git.kill()
                        raise Late
            if git.returncode == 0:
                return
        except OSError:
            pass
        self.loose(os.path.join(folder, "objects"))

    def loose(self, folder: str) -> None:
        """Objects without git: those that are files of their own."""
        for parent, _, names in os.walk(folder):
            for name in names:
                place = os.path.join(parent, name)
                if name.endswith(".pack"):
                    self.unread.append(place[-PLACE_CHARS:])
                elif len(os.path.basename(parent)) == 2:
                    with contextlib.suppress(OSError, zlib.error):
                        with open(place, "rb") as file:
                            data = zlib.decompress(file.read())
                        self.content(place, data.partition(b"\0")[2], DEEP)


def objects(stream: Any) -> Iterator[tuple[str, bytes]]:
    """What ``git cat-file --batch`` writes: name and content of each object that is not too large."""
    while True:
        head = stream.readline().split()
        if len(head) != 3:
            return
        left = int(head[2])
        data = stream.read(min(left, WHOLE))
        left -= len(data)
        while left > 0:
            left -= len(stream.read(min(left, CHUNK)) or b" " * left)
        stream.read(1)
        yield head[0].decode()[:12], data


def is_packed(place: str) -> bool:
    return place.endswith((".zip", ".whl", ".egg", ".tar", ".tgz", *PACKED))


def code_of(sources: Iterable[str]) -> set[Any]:
    """What the functions of some modules do."""
    found: set[Any] = set()
    for source in sources:
        with contextlib.suppress(SyntaxError, ValueError):
            found.update(code_keys(compile(source, "module", "exec", dont_inherit=True)))
    return found


def code_keys(code: types.CodeType) -> Iterator[Any]:
    inner = [part for part in code.co_consts if isinstance(part, types.CodeType)]
    for part in inner:
        values = tuple(repr(value) for value in part.co_consts if not isinstance(value, types.CodeType))
        if len(part.co_code) >= FEW_BYTES:
            yield part.co_name, part.co_code, part.co_names, values
        yield from code_keys(part)


if __name__ == "__main__":
    main()
