"""One row of a data set, whatever its format: what the rows of all formats are read as."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Record:
    """What a row says, its spelling apart; nothing of it is checked yet but its types and sizes.

    Args:
        id: the row's own.
        format: key of ``FORMATS``.
        repository: ``owner/name``.
        commit: the commit that the patches are made for, in hexadecimal digits, perhaps not all of them.
        statement: what the agent is told.
        solution: the diff that solves the task, made for the base.
        base: the diff from the commit to the base; empty where they are one.
        tests: the diff from the base that brings the hidden tests; None where the base holds them.
        fail_to_pass, pass_to_pass: names of tests, as the row spells them.
        language, framework: in lower case, as the row spells them; empty where it does not say.
        image: reference of the image that the row's environment is; empty without one.
        python: such as ``3.9``; empty where the row does not say.
        requirements: what ``pip freeze`` prints; empty where the row does not say.
        conda: what ``conda env export`` prints.
        license: SPDX or any name.
    """

    id: str
    format: str
    repository: str
    commit: str
    statement: str
    solution: str
    base: str = ""
    tests: str | None = ""
    fail_to_pass: tuple[str, ...] = ()
    pass_to_pass: tuple[str, ...] = ()
    language: str = ""
    framework: str = ""
    image: str = ""
    python: str = ""
    requirements: str = ""
    conda: str = ""
    license: str = ""
