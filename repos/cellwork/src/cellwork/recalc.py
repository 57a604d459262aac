"""Which formulas depend on which cells, and what has to be computed again after a change."""

from __future__ import annotations

from typing import Callable, Dict, Iterable, List, Mapping, Protocol, Set, Tuple

from .addresses import Area, Place
from .edits import Edit
from .values import ErrorValue, Value, same_value


class DependencyGraph:
    """The areas that each formula reads, and from there the formulas that read a cell."""

    def __init__(self) -> None:
        self._read: Dict[Place, Tuple[Area, ...]] = {}
        self._readers: Dict[Area, Set[Place]] = {}
        self._ranges: Dict[str, Set[Area]] = {}

    def __contains__(self, place: object) -> bool:
        """Whether there is a formula at *place*."""
        return place in self._read

    def areas(self, place: Place) -> Tuple[Area, ...]:
        """What the formula at *place* reads."""
        return self._read.get(place, ())

    def link(self, place: Place, areas: Iterable[Area]) -> None:
        """Note that the formula at *place* reads *areas*, and nothing else any more."""
        self.unlink(place)
        self._read[place] = tuple(areas)
        for area in self._read[place]:
            self._readers.setdefault(area, set()).add(place)
            if not area.is_single:
                self._ranges.setdefault(area.sheet, set()).add(area)

    def unlink(self, place: Place) -> None:
        """Forget the formula at *place*, if there is one."""
        for area in set(self._read.pop(place, ())):
            self._readers[area].discard(place)
            if not self._readers[area]:
                del self._readers[area]
                self._ranges.get(area.sheet, set()).discard(area)

    def relocate(self, edit: Edit) -> None:
        """Follow the formulas to their new places.  What they read is linked anew by those who change it."""
        moved = [(place, areas) for place, areas in self._read.items() if edit.place(place) != place]
        for place, _ in moved:
            self.unlink(place)
        for place, areas in moved:
            target = edit.place(place)
            if target is not None:
                self.link(target, areas)

    def dependents(self, place: Place) -> Set[Place]:
        """The formulas that read the cell at *place*."""
        found = set(self._readers.get(Area.single(place), ()))
        for area in self._ranges.get(place.sheet, ()):
            if place in area:
                found |= self._readers[area]
        return found

    def readers(self, area: Area) -> Set[Place]:
        """The formulas that read any cell of *area*."""
        found: Set[Place] = set()
        for other, places in self._readers.items():
            if other.overlaps(area):
                found |= places
        return found

    def readers_of_sheet(self, sheet: str) -> Set[Place]:
        found: Set[Place] = set()
        for area, places in self._readers.items():
            if area.sheet == sheet:
                found |= places
        return found

    def affected(self, places: Iterable[Place]) -> Set[Place]:
        """The formulas among *places*, and all that depend on any of *places*, near or far."""
        waiting = list(places)
        found = {place for place in waiting if place in self}
        while waiting:
            for dependent in self.dependents(waiting.pop()):
                if dependent not in found:
                    found.add(dependent)
                    waiting.append(dependent)
        return found

    def in_order(self, places: Set[Place]) -> List[List[Place]]:
        """*places* in groups, each behind those that it depends on.

        Cells that depend on each other in a circle form one group; all other
        groups have a single member.
        """
        edges = {place: sorted(self.dependents(place) & places) for place in places}
        return list(reversed(_strong_components(edges)))


def _strong_components(edges: Mapping[Place, List[Place]]) -> List[List[Place]]:
    """Tarjan's algorithm with a stack of its own, since chains of formulas may be long."""
    number: Dict[Place, int] = {}
    low: Dict[Place, int] = {}
    open_places: List[Place] = []
    is_open: Set[Place] = set()
    groups: List[List[Place]] = []
    for root in sorted(edges):
        if root in number:
            continue
        path = [(root, iter(edges[root]))]
        while path:
            place, following = path[-1]
            if place not in number:
                number[place] = low[place] = len(number)
                open_places.append(place)
                is_open.add(place)
            for target in following:
                if target not in number:
                    path.append((target, iter(edges[target])))
                    break
                if target in is_open:
                    low[place] = min(low[place], number[target])
            else:
                path.pop()
                if path:
                    low[path[-1][0]] = min(low[path[-1][0]], low[place])
                if low[place] == number[place]:
                    group = [open_places.pop()]
                    while group[-1] != place:
                        group.append(open_places.pop())
                    is_open.difference_update(group)
                    groups.append(sorted(group))
    return groups


class Cells(Protocol):
    """The values that a :class:`Recalculator` keeps up to date."""

    def value_at(self, place: Place) -> Value: ...

    def show(self, place: Place, value: Value) -> None: ...


class Recalculator:
    """Collects what has changed and brings the formulas up to date.

    In one run no formula is computed twice, and none is computed of which all
    cells that it reads have kept their values.
    """

    def __init__(self, graph: DependencyGraph, cells: Cells, compute: Callable[[Place], Value]) -> None:
        self._graph = graph
        self._cells = cells
        self._compute = compute
        self._stale: Set[Place] = set()
        self._before: Dict[Place, Value] = {}
        self._circular: Set[Place] = set()

    def note_content(self, place: Place, before: Value) -> None:
        """The cell has other content now; *before* is the value that it had."""
        self._before.setdefault(place, before)
        self._circular.discard(place)
        self._stale.discard(place)
        if place in self._graph:
            self._stale.add(place)

    def note_formulas(self, places: Iterable[Place]) -> None:
        """The formulas at *places* have to be computed even if no cell that they read changes."""
        self._stale.update(places)

    def relocate(self, edit: Edit) -> None:
        """Follow the cells to their new places."""
        self._stale = _relocated(self._stale, edit)
        self._circular = _relocated(self._circular, edit)
        before, self._before = self._before, {}
        for place, value in before.items():
            target = edit.place(place)
            if target is not None:
                self._before[target] = value

    def run(self) -> None:
        """Compute what has to be computed."""
        stale, self._stale = self._stale, set()
        before, self._before = self._before, {}
        due = set(stale)
        for place, value in before.items():
            if place not in self._graph and not same_value(value, self._cells.value_at(place)):
                due |= self._graph.dependents(place)
        for group in self._graph.in_order(self._graph.affected(stale | before.keys())):
            circular = len(group) > 1 or group[0] in self._graph.dependents(group[0])
            for place in group:
                if circular:
                    self._circular.add(place)
                    value: Value = ErrorValue.CYCLE
                elif place in due or place in self._circular:
                    self._circular.discard(place)
                    value = self._compute(place)
                else:
                    continue
                if not same_value(before.get(place, self._cells.value_at(place)), value):
                    due |= self._graph.dependents(place)
                self._cells.show(place, value)


def _relocated(places: Set[Place], edit: Edit) -> Set[Place]:
    moved = (edit.place(place) for place in places)
    return {place for place in moved if place is not None}
