"""Network to Program: every population's parameters become the chip's integers."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from spikeport import fixed
from spikeport.deploy.network import Network, Population, Projection
from spikeport.deploy.nodes import Shape
from spikeport.deploy.options import Options
from spikeport.deploy.passes import grid
from spikeport.deploy.passes.base import AbstractPass
from spikeport.deploy.passes.first_layer import encode
from spikeport.deploy.passes.grid import Fitted
from spikeport.deploy.passes.names import with_plain_names
from spikeport.deploy.passes.weights import bias_per_neuron, connection
from spikeport.errors import DeployError, PassError
from spikeport.program import LIF, Connection, Encoder, Input, Output, Program


@dataclass(frozen=True)
class Quantize(AbstractPass[Network, Program]):
    name: ClassVar[str] = "quantize"

    def requires(self, before: Network, options: Options) -> None:
        inputs = {name for name, _ in before.inputs}
        for population in before.populations:
            into = before.into(population.name)
            if options.input == "bias" and len(into) > 1 and any(p.source in inputs for p in into):
                do = "give the image a layer of its own"
                raise DeployError(
                    population.name, "sources besides the image", got=len(into) - 1, relation="exceed", limit=0, do=do
                )

    def run(self, before: Network, options: Options) -> Program:
        before = with_plain_names(before)
        groups: list[LIF] = []
        connections: list[Connection] = []
        encoders: list[Encoder] = []
        inputs = {name for name, _ in before.inputs}
        for population in before.populations:
            into = before.into(population.name)
            if options.input == "bias" and into[0].source in inputs:
                fitted, encoder = encode(population, into[0], options)
                encoders.append(encoder)
            else:
                fitted = _fit(population, into)
                connections += [connection(p, w) for p, w in zip(into, fitted.weights, strict=True)]
            groups.append(_group(population, fitted, options))
        return Program(
            groups=tuple(groups),
            connections=tuple(connections),
            inputs=tuple(_input(name, shape, options) for name, shape in before.inputs),
            outputs=tuple(Output(name, source, options.classes) for name, source in before.outputs),
            encoders=tuple(encoders),
            latency=_latency(before),
            dt_s=options.dt_s,
            chip=options.chip.name,
            profile=options.profile,
            nir_sha256=before.sha256,
        )

    def ensures(self, after: Program, options: Options) -> None:
        if {g.reset_interval for g in after.groups} != {options.reset_interval}:
            raise PassError(self.name, "groups with unequal reset intervals")


def _fit(population: Population, into: list[Projection]) -> Fitted:
    bias = np.sum([bias_per_neuron(p.synapse, population.shape) for p in into], axis=0)
    weights = [p.synapse.weight for p in into]
    return grid.fit(population.name, weights, bias, population.keep, population.threshold)


def _group(population: Population, fitted: Fitted, options: Options) -> LIF:
    mant = np.broadcast_to(fitted.bias >> fitted.bias_exp, population.shape)
    return LIF(
        name=population.name,
        shape=population.shape,
        du=fixed.DECAY_ONE - 1,
        dv=fitted.dv,
        vth=fitted.vth,
        bias_mant=mant,
        bias_exp=fitted.bias_exp,
        reset_interval=options.reset_interval,
        reset_offset=population.start,
        v_unit=fitted.unit / grid.V_PER_UNIT,
    )


def _input(name: str, shape: Shape, options: Options) -> Input:
    if options.input == "spike":
        return Input(name, shape, "spike")
    return Input(name, shape, "bias", options.low, options.high)


def _latency(network: Network) -> int:
    """Steps from the first step to that at which the output starts; outputs of one network share it."""
    starts = {p.name: p.start for p in network.populations}
    found = {starts[source] - 1 for _, source in network.outputs}
    if len(found) > 1:
        raise DeployError("output", "depths", got=sorted(found), relation="differ", do="compile each output by itself")
    return found.pop()
