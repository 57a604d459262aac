"""Listing and searching files, in a process of the agent's: a pattern can take for ever."""

import json
import os
import re
import stat

from .manifest import NEVER_STATE, is_cache

MAX_SEARCHED_FILE = 4_000_000
MAX_LINE = 500


class Refused(Exception):
    """The search cannot be made, for a reason that whoever asked for it can understand."""


def search(root, query, report):
    """In a child, as the agent's user: list files, or the lines in them that match, as JSON lines."""
    names = re.compile(query["names"]) if query["names"] else None
    pattern = compiled(query["pattern"]) if query["pattern"] is not None else None
    left = query["limit"]
    for parent, folders, files in os.walk(folder_in(root, query["folder"])):
        folders[:] = sorted(name for name in folders if name not in NEVER_STATE)
        for name in sorted(files):
            place = os.path.join(parent, name)
            path = os.path.relpath(place, root)
            found = os.lstat(place)
            if is_cache(path) or not stat.S_ISREG(found.st_mode) or (names and not names.fullmatch(path)):
                continue
            rows = matches(place, path, pattern, query["context"]) if pattern else [[path, found.st_size]]
            for row in rows:
                if not left:
                    report.write('"more"\n')
                    return
                left -= 1
                report.write(json.dumps(row) + "\n")


def compiled(pattern):
    try:
        return re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise Refused("the pattern is not a regular expression of Python's: %s" % error)


def folder_in(root, folder):
    """The place of ``folder``, none of whose parts may be a link."""
    place = root
    for part in folder.split("/") if folder else []:
        place = os.path.join(place, part)
        try:
            good = stat.S_ISDIR(os.lstat(place).st_mode)
        except OSError:
            good = False
        if not good or part in NEVER_STATE:
            raise Refused("%r: there is no such folder" % folder)
    return place


def matches(place, path, pattern, context):
    try:
        with open(place, "rb") as file:
            data = file.read(MAX_SEARCHED_FILE + 1)
    except OSError:  # the agent may have made it unreadable to itself
        return
    if len(data) > MAX_SEARCHED_FILE or b"\0" in data[:8192]:
        return
    text = data.decode("utf-8", "replace")
    lines = [line[:-1] if line.endswith("\r") else line for line in text.split("\n")]
    if not lines[-1]:
        lines.pop()
    shown = {}
    for number, line in enumerate(lines):
        if pattern.search(line[:100_000]):
            for near in range(max(0, number - context), min(len(lines), number + context + 1)):
                shown.setdefault(near, False)
            shown[number] = True
    for number in sorted(shown):
        yield [path, number + 1, lines[number][:MAX_LINE], shown[number]]
