"""What to overlook when lines are compared.

A *rule* turns a line, with its end, into what is left of it when something is
overlooked.  Rules are known by name; a :class:`Folding` is a choice of them.
"""

from __future__ import annotations

import re
from typing import Callable, Dict, Iterable, List, Tuple

from .errors import OptionError, UnknownRuleError

Rule = Callable[[str], str]

_RULES: Dict[str, Rule] = {}


def register(name: str, rule: Rule) -> None:
    """Make a rule known under a name, which must be free."""
    if name in _RULES:
        raise OptionError(f"rule {name!r} exists already")
    _RULES[name] = rule


def known_rules() -> List[str]:
    """The names of all rules, sorted."""
    return sorted(_RULES)


class Folding:
    """Some rules, applied one after the other; without any, lines compare exactly."""

    def __init__(self, *names: str) -> None:
        self.names: Tuple[str, ...] = tuple(dict.fromkeys(names))
        for name in self.names:
            if name not in _RULES:
                raise UnknownRuleError(name, known_rules())
        self._rules = [_RULES[name] for name in self.names]

    def key(self, line: str) -> str:
        """What is compared in place of *line*."""
        for rule in self._rules:
            line = rule(line)
        return line

    def keys(self, lines: Iterable[str]) -> List[str]:
        return [self.key(line) for line in lines]

    def adding(self, *names: str) -> Folding:
        """A folding with further rules, after those of this one."""
        return Folding(*self.names, *names)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Folding) and self.names == other.names

    def __hash__(self) -> int:
        return hash(self.names)

    def __repr__(self) -> str:
        return f"Folding({', '.join(map(repr, self.names))})"


def _fold_space_change(line: str) -> str:
    return re.sub(r"[ \t]+", " ", re.sub(r"[ \t]+(?=[\r\n]|\Z)", "", line))


register("case", str.casefold)
register("eol", lambda line: re.sub(r"\r\n?\Z", "\n", line))
register("space", lambda line: re.sub(r"[ \t]", "", line))
register("space-change", _fold_space_change)

EXACT = Folding()
