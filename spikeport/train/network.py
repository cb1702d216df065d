"""`SpikingNetwork`: groups of neurons joined by synapses, as a module.

Where a chip's connection takes a step, a layer here takes none: each group sees its sources' spikes of the same step,
so a shortcut needs no delay beside a longer path. Only what a group sends to itself comes a step later.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from spikeport.errors import InputError, OverflowDetected
from spikeport.program import Input, Output
from spikeport.train.group import SpikingGroup
from spikeport.train.image_group import ImageGroup

AnyGroup = SpikingGroup | ImageGroup


class SpikingNetwork(nn.Module):
    """Inputs, groups in data-flow order, outputs.

    Args:
        groups: Each reads inputs and groups before it, and perhaps itself.
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
        known = {entry.name for entry in inputs}
        for group in groups:
            if unknown := [name for name in group.sources if name not in known | {group.name}]:
                limit = "an input or a group before it"
                raise InputError(group.name, "source", got=unknown[0], relation="is not", limit=limit)
            known.add(group.name)
        for output in outputs:
            if output.source not in known:
                raise InputError(output.name, "source", got=output.source, relation="is not a group")
        self.inputs = tuple(inputs)
        self.groups = nn.ModuleList(groups)
        self.outputs = tuple(outputs)
        self.steps = steps
        self.dt_s = dt_s

    def forward(self, x: Tensor | Mapping[str, Tensor]) -> Tensor | dict[str, Tensor]:
        """Spikes or image integers `(T, B, *shape)`, by name if there are several inputs, to the output's spikes.

        Several outputs come by name.
        """
        spikes = self.spikes(x)
        found = {output.name: spikes[output.source] for output in self.outputs}
        return found if len(found) > 1 else next(iter(found.values()))

    def spikes(self, x: Tensor | Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The spikes `(T, B, *shape)` of every group, by name."""
        inputs = self._checked(x if isinstance(x, Mapping) else {self.inputs[0].name: x})
        length = len(next(iter(inputs.values())))
        span = self.steps or length
        parts = [self._run({n: part[k : k + span] for n, part in inputs.items()}) for k in range(0, length, span)]
        return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}

    def ordered(self) -> list[AnyGroup]:
        """The groups in data-flow order."""
        return list(self.groups)  # type: ignore[arg-type]

    def group(self, name: str) -> AnyGroup:
        return next(group for group in self.ordered() if group.name == name)

    def _run(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        values = dict(inputs)
        for group in self.ordered():
            try:
                values[group.name] = group(values)
            except (InputError, OverflowDetected) as error:
                raise error.inside(group.name) from error
        return {group.name: values[group.name] for group in self.ordered()}

    def _checked(self, inputs: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        names = [entry.name for entry in self.inputs]
        if inputs.keys() != set(names):
            raise InputError("SpikingNetwork", "inputs", got=sorted(inputs), relation="are not", limit=names)
        sizes = {x.shape[:2] for x in inputs.values()}
        for entry in self.inputs:
            x = inputs[entry.name]
            if x.dim() != 2 + len(entry.shape) or tuple(x.shape[2:]) != entry.shape or not x.numel() or len(sizes) > 1:
                limit = f"(T, B, {', '.join(map(str, entry.shape))}), T and B at least 1 and the same for all inputs"
                raise InputError(entry.name, "shape", got=tuple(x.shape), relation="is not", limit=limit)
            if x.amin() < entry.low or x.amax() > entry.high:
                got, limit = f"{x.amin():g}..{x.amax():g}", f"[{entry.low}, {entry.high}]"
                raise InputError(entry.name, "values", got=got, relation="are not in", limit=limit)
        if self.steps and len(next(iter(inputs.values()))) > self.steps and self._loops():
            length, do = next(iter(sizes))[0], "run one sample at a time"
            raise InputError(self._loops()[0], "steps", got=length, relation="exceed", limit=self.steps, do=do)
        return inputs

    def _loops(self) -> list[str]:
        return [group.name for group in self.ordered() if group.name in group.sources]
