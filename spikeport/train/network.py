"""`SpikingNetwork`: groups of neurons joined by synapses, as a module.

Where a chip's connection takes a step, one here takes none: each group sees its sources' spikes of the same step,
so a shortcut needs no delay beside a longer path. Only what has a lag comes later, as all that leads back must.
Groups that hear each other are stepped together; the others one after the other, all steps at once.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from graphlib import TopologicalSorter

import numpy as np
import torch
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from torch import Tensor, nn

from spikeport.errors import InputError, LayerInvalid, OverflowDetected, UnknownName, ValueOutside, WrongShape
from spikeport.program import Input, Output
from spikeport.train.group import Running, SpikingGroup
from spikeport.train.image_group import ImageGroup

AnyGroup = SpikingGroup | ImageGroup
CLOCK = "spikeport_clock"
"""A source that every group may name: one neuron that fires at every step."""


class SpikingNetwork(nn.Module):
    """Inputs, groups in data-flow order, outputs.

    Args:
        groups: Each reads inputs and groups before it, and with a lag any group.
        steps: The state is cleared every so many steps; 0: never.
        dt_s: Length of a step; decides nothing here.
    """

    def __init__(
        self,
        inputs: Sequence[Input],
        groups: Sequence[AnyGroup],
        outputs: Sequence[Output],
        *,
        steps: int = 0,
        dt_s: float = 1e-4,
    ) -> None:
        super().__init__()
        known = {entry.name for entry in inputs} | {CLOCK}
        every = known | {group.name for group in groups}
        for group in groups:
            late = {a.source for a in group.into if a.lag} if isinstance(group, SpikingGroup) else set()
            if unknown := [n for n in group.sources if n not in known and (n not in late or n not in every)]:
                limit = "an input, a group before it, or one that it hears late"
                raise LayerInvalid(group.name, "source", got=unknown[0], relation="is not", limit=limit)
            known.add(group.name)
        for output in outputs:
            if output.source not in known:
                raise LayerInvalid(output.name, "source", got=output.source, relation="is not a group")
        self.inputs = tuple(inputs)
        self.groups = nn.ModuleList(groups)
        self.outputs = tuple(outputs)
        self.parts = _parts(groups)
        self.steps = steps
        self.dt_s = dt_s

    def forward(self, x: Tensor | Mapping[str, Tensor]) -> Tensor | dict[str, Tensor]:
        """Spikes or image integers `(T, B, *shape)`, by name if there are several inputs, to the output's spikes, or v.

        Several outputs come by name. v is in the chip's steps, whole numbers in eval mode.
        """
        spikes = self.spikes(x)
        found = {output.name: spikes[output.source] for output in self.outputs}
        return found if len(found) > 1 else next(iter(found.values()))

    def spikes(self, x: Tensor | Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The spikes `(T, B, *shape)` of every group, by name; v in steps of those that send none."""
        inputs = self._checked(x if isinstance(x, Mapping) else {self.inputs[0].name: x})
        length = len(next(iter(inputs.values())))
        span = self.steps or length
        parts = [self._run({n: part[k : k + span] for n, part in inputs.items()}) for k in range(0, length, span)]
        return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}

    def ordered(self) -> list[AnyGroup]:
        """The groups in data-flow order."""
        return list(self.groups)  # type: ignore[arg-type]

    def group(self, name: str) -> AnyGroup:
        """The group of that name; StopIteration where there is none."""
        return next(group for group in self.ordered() if group.name == name)

    def _run(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        some = next(iter(inputs.values()))
        values = {**inputs, CLOCK: some.new_ones(*some.shape[:2], 1)}
        for part in self.parts:
            values |= _together([self.group(name) for name in part], values)
        return {group.name: values[group.name] for group in self.ordered()}

    def _checked(self, inputs: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        names = [entry.name for entry in self.inputs]
        if inputs.keys() != set(names):
            raise UnknownName("SpikingNetwork", "inputs", got=sorted(inputs), relation="are not", limit=names)
        sizes = {x.shape[:2] for x in inputs.values()}
        for entry in self.inputs:
            x = inputs[entry.name]
            if x.dim() != 2 + len(entry.shape) or tuple(x.shape[2:]) != entry.shape or not x.numel() or len(sizes) > 1:
                limit = f"(T, B, {', '.join(map(str, entry.shape))}), T and B at least 1 and the same for all inputs"
                raise WrongShape(entry.name, "shape", got=tuple(x.shape), relation="is not", limit=limit)
            if x.amin() < entry.low or x.amax() > entry.high:
                got, limit = f"{x.amin():g}..{x.amax():g}", f"[{entry.low}, {entry.high}]"
                raise ValueOutside(entry.name, "values", got=got, relation="are not in", limit=limit)
        if self.steps and len(next(iter(inputs.values()))) > self.steps and self._loops():
            length, do = next(iter(sizes))[0], "run one sample at a time"
            raise LayerInvalid(self._loops()[0], "steps", got=length, relation="exceed", limit=self.steps, do=do)
        return inputs

    def _loops(self) -> list[str]:
        spiking = [group for group in self.ordered() if isinstance(group, SpikingGroup)]
        return [group.name for group in spiking if any(a.lag for a in group.into)]


def _together(groups: Sequence[AnyGroup], values: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What groups give that hear each other, or one that hears none of those that follow."""
    running: dict[str, Running] = {}
    device = values[CLOCK].device.type
    floats = groups[0].training and torch.is_autocast_enabled(device)
    with torch.autocast(device, enabled=floats):
        for group in groups:
            with _named(group):
                if isinstance(group, ImageGroup):
                    return {group.name: group(values)}
                running[group.name] = group.begin(values)
        for t in range(len(values[CLOCK])):
            for run in running.values():
                with _named(run.group):
                    run.step(t, running)
    return {name: run.found() for name, run in running.items()}


@contextmanager
def _named(group: AnyGroup) -> Iterator[None]:
    """An error says which group it came from."""
    try:
        yield
    except (InputError, OverflowDetected) as error:
        raise error.inside(group.name) from error


def _parts(groups: Sequence[AnyGroup]) -> list[list[str]]:
    """Names of groups that all lead to each other, in the groups' order; each part after those that it hears."""
    place = {group.name: k for k, group in enumerate(groups)}
    edges = [(place[n], k) for k, group in enumerate(groups) for n in group.sources if n in place]
    ones = np.ones(len(edges), np.int8)
    ends = np.array(edges, np.int64).reshape(-1, 2).T
    _, label = connected_components(csr_array((ones, ends), (len(groups), len(groups))), connection="strong")
    sorter: TopologicalSorter[int] = TopologicalSorter({int(k): set() for k in label})
    for a, b in edges:
        if label[a] != label[b]:
            sorter.add(int(label[b]), int(label[a]))
    return [[group.name for k, group in enumerate(groups) if label[k] == part] for part in sorter.static_order()]
