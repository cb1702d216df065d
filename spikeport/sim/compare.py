"""Two runs of one Program, value by value: what Lava and the simulators are judged by.

Integers compare with `==`; there is no tolerance.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport.errors import ArraysDiffer, UnknownName
from spikeport.trace import Trace

_Pair = tuple[NDArray[Any], NDArray[Any]]


@dataclass(frozen=True)
class Difference:
    """One value that differs."""

    step: int
    """Hardware step, counted from 1."""
    group: str
    variable: str
    sample: int
    neuron: int
    """Flat index in C order of the group's shape."""
    a: int
    b: int

    def __str__(self) -> str:
        place = f"step {self.step}, {self.group}, sample {self.sample}, neuron {self.neuron}"
        return f"{place}: {self.variable} is {self.a} and {self.b}"


@dataclass(frozen=True)
class GroupCount:
    """How many values of one group were compared, and how many of each variable differ."""

    group: str
    values: int
    by_variable: Mapping[str, int]
    """The group's state variables, and `s`."""

    @property
    def differing(self) -> int:
        return sum(self.by_variable.values())


@dataclass(frozen=True)
class Comparison:
    """The outcome; `first` is the earliest difference, in the groups' order within its step."""

    values: int
    differing: int
    first: Difference | None
    groups: tuple[GroupCount, ...]

    @property
    def equal(self) -> bool:
        return self.differing == 0


def compare(a: Mapping[str, Trace], b: Mapping[str, Trace]) -> Comparison:
    """Every value of every group of `a` against `b`; where one has the state after the last step only, that step.

    Raises:
        InputError: the two do not hold the same groups and variables, or arrays of other shapes.
    """
    if set(a) != set(b):
        raise ArraysDiffer("compare", "groups", got=", ".join(a), relation="are not", limit=", ".join(b))
    pairs: dict[str, dict[str, _Pair]] = {}
    for group in a:
        if set(a[group].state) != set(b[group].state):
            got, limit = (", ".join(trace[group].state) for trace in (a, b))
            raise ArraysDiffer(f"compare {group}", "variables", got=got, relation="are not", limit=limit)
        pairs[group] = {name: _aligned(group, name, a[group], b[group]) for name in (*a[group].state, "s")}
    return _compared(pairs, {group: len(trace.s) for group, trace in a.items()})


def compare_recorded(a: Mapping[str, Trace], recorded: Mapping[str, Mapping[str, NDArray[Any]]]) -> Comparison:
    """Of `a` what is recorded as well: by group and variable, `s` or of its state, at every step.

    Raises:
        InputError: arrays of other shapes, or of a group that `a` has not.
    """
    pairs: dict[str, dict[str, _Pair]] = {}
    for group in a:
        every = {**a[group].state, "s": a[group].s}
        pairs[group] = {name: (every[name], y) for name, y in recorded.get(group, {}).items()}
        for name, (x, y) in pairs[group].items():
            if x.shape != y.shape:
                got, limit = y.shape, x.shape
                raise ArraysDiffer(f"compare {group}", f"shape of {name}", got=got, relation="is not", limit=limit)
    if unknown := recorded.keys() - a.keys():
        raise UnknownName("compare", "groups", got=", ".join(unknown), relation="are not in", limit=", ".join(a))
    some = {group: of_group for group, of_group in pairs.items() if of_group}
    return _compared(some, {group: len(a[group].s) for group in some})


def _compared(pairs: Mapping[str, Mapping[str, _Pair]], steps: Mapping[str, int]) -> Comparison:
    rows: list[GroupCount] = []
    firsts: list[Difference] = []
    for group, of_group in pairs.items():
        values, differing = 0, {}
        for variable, (x, y) in of_group.items():
            where = np.argwhere((x != y).reshape(*x.shape[:2], -1))
            values += x.size
            differing[variable] = len(where)
            if len(where):
                firsts.append(_difference(group, variable, x, y, where[0], steps[group]))
        rows.append(GroupCount(group, values, differing))
    return Comparison(
        values=sum(row.values for row in rows),
        differing=sum(row.differing for row in rows),
        first=min(firsts, key=lambda difference: difference.step, default=None),
        groups=tuple(rows),
    )


def _aligned(group: str, variable: str, a: Trace, b: Trace) -> tuple[NDArray[Any], NDArray[Any]]:
    """Both sides' values of the steps that both have."""
    if variable == "s":
        x, y = a.s, b.s
    else:
        x, y = a.state[variable], b.state[variable]
        if 1 in (len(x), len(y)):
            x, y = x[-1:], y[-1:]
    if x.shape != y.shape:
        raise ArraysDiffer(f"compare {group}", f"shape of {variable}", got=x.shape, relation="is not", limit=y.shape)
    return x, y


def _difference(
    group: str, variable: str, x: NDArray[Any], y: NDArray[Any], where: NDArray[np.intp], steps: int
) -> Difference:
    step, sample, neuron = (int(i) for i in where)
    values = (int(array.reshape(*array.shape[:2], -1)[step, sample, neuron]) for array in (x, y))
    return Difference(steps - len(x) + step + 1, group, variable, sample, neuron, *values)
