"""Network to Program: every population's parameters become the chip's integers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from spikeport.deploy.network import Network, Population
from spikeport.deploy.nodes import Shape
from spikeport.deploy.options import Options
from spikeport.deploy.passes.base import AbstractPass
from spikeport.deploy.passes.first_layer import encode
from spikeport.deploy.passes.names import with_plain_names
from spikeport.deploy.passes.weights import connection
from spikeport.deploy.quantize.choose import rounded_network
from spikeport.deploy.quantize.rounded import V_PER_UNIT, Rounded
from spikeport.errors import DeployError, PassError
from spikeport.program import LIF, Connection, Encoder, Input, Output, Program


@dataclass(frozen=True)
class Quantize(AbstractPass[Network, Program]):
    name: ClassVar[str] = "quantize"

    def requires(self, before: Network, options: Options) -> None:
        images = {name for name, _ in before.inputs} if options.input == "bias" else set()
        for population in before.populations:
            into = before.into(population.name)
            if not any(q.source in images for q in into):
                continue
            if len(into) > 1:
                do = "give the image a layer of its own"
                got = len(into) - 1
                raise DeployError(
                    population.name, "sources besides the image", got=got, relation="exceed", limit=0, do=do
                )
            if np.any(population.keep_u) or population.start != 1:
                do = "let the first layer be neurons without current whose v starts at v_reset"
                raise DeployError(population.name, "cannot be loaded with an image", do=do)

    def run(self, before: Network, options: Options) -> Program:
        named = with_plain_names(before)
        images = {name for name, _ in named.inputs} if options.input == "bias" else set()
        rounded: dict[str, Rounded] = {}
        encoders: list[Encoder] = []
        for population in named.populations:
            into = named.into(population.name)
            if into and into[0].source in images:
                rounded[population.name], encoder = encode(population, into[0], options)
                encoders.append(encoder)
        rounded = rounded_network(named, options, rounded)
        return program_of(named, rounded, encoders, options)

    def ensures(self, after: Program, options: Options) -> None:
        if {g.reset_interval for g in after.groups} != {options.reset_interval}:
            raise PassError(self.name, "groups with unequal reset intervals")


def program_of(network: Network, rounded: Mapping[str, Rounded], encoders: list[Encoder], options: Options) -> Program:
    """The integers of every population, put together."""
    hosted = {e.synapses.target for e in encoders}
    connections: list[Connection] = []
    for p in network.populations:
        into = network.into(p.name) if p.name not in hosted else []
        for q, weight in zip(into, rounded[p.name].weights, strict=True):
            connections.append(connection(q, weight, network.shape_of(q.source), p.shape))
    return Program(
        groups=tuple(_group(p, rounded[p.name], options) for p in network.populations),
        connections=tuple(connections),
        inputs=tuple(_input(name, shape, options) for name, shape in network.inputs),
        outputs=tuple(Output(o.name, o.source, options.classes, o.reads) for o in network.outputs),
        encoders=tuple(encoders),
        latency=_latency(network),
        dt_s=options.dt_s,
        chip=options.chip.name,
        profile=options.profile,
        nir_sha256=network.sha256,
    )


def _group(p: Population, rounded: Rounded, options: Options) -> LIF:
    return LIF(
        name=p.name,
        shape=p.shape,
        du=rounded.du,
        dv=rounded.dv,
        vth=rounded.vth,
        bias_mant=rounded.bias >> rounded.bias_exp,
        bias_exp=rounded.bias_exp,
        reset_interval=options.reset_interval,
        reset_offset=p.start,
        v_unit=rounded.unit / V_PER_UNIT,
        reset=p.reset,
    )


def _input(name: str, shape: Shape, options: Options) -> Input:
    if options.input == "spike":
        return Input(name, shape, "spike")
    return Input(name, shape, "bias", options.low, options.high)


def _latency(network: Network) -> int:
    """Steps from the first step to that at which every output starts."""
    start = {p.name: p.start for p in network.populations}
    found = {start[o.source] - 1 - o.lag for o in network.outputs}
    if len(found) > 1 or min(found) < 0:
        raise DeployError("output", "depths", got=sorted(found), relation="differ", do="compile each output by itself")
    return found.pop()
