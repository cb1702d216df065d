"""The integers of every population, put together to a Program."""

from dataclasses import dataclass
from typing import ClassVar

from spikeport.deploy.network import Network, Population
from spikeport.deploy.nodes import Shape
from spikeport.deploy.options import Options
from spikeport.deploy.passes.base import AbstractPass
from spikeport.deploy.passes.connection import connection
from spikeport.deploy.quantize.integer_network import IntegerNetwork
from spikeport.deploy.quantize.rounded import V_PER_UNIT, Rounded
from spikeport.errors import PassError
from spikeport.program import LIF, Connection, Input, Output, Program


@dataclass(frozen=True)
class Assemble(AbstractPass[IntegerNetwork, Program]):
    name: ClassVar[str] = "assemble"

    def run(self, before: IntegerNetwork, options: Options) -> Program:
        network = before.network
        connections: list[Connection] = []
        for p in network.populations:
            pairs = zip(before.hears(p.name), before.rounded[p.name].weights, strict=True)
            connections += [connection(q, weight, network.shape_of(q.source), p.shape) for q, weight in pairs]
        read = {o.source for o in network.outputs if o.reads == "v"}
        return Program(
            groups=tuple(
                _group(p, before.rounded[p.name], options, options.v_scale if p.name in read else 1.0)
                for p in network.populations
            ),
            connections=tuple(connections),
            inputs=tuple(_input(name, shape, options) for name, shape in network.inputs),
            outputs=tuple(Output(o.name, o.source, options.classes, o.reads) for o in network.outputs),
            encoders=tuple(hosted.encoder for hosted in before.hosted.values()),
            latency=_latency(network),
            dt_s=options.dt_s,
            chip=options.chip.name,
            profile=options.profile,
            nir_sha256=network.sha256,
        )

    def ensures(self, after: Program, options: Options) -> None:
        if {g.reset_interval for g in after.groups} != {options.reset_interval}:
            raise PassError(self.name, "groups with unequal reset intervals")


def _group(p: Population, rounded: Rounded, options: Options, worth: float) -> LIF:
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
        v_unit=rounded.unit / V_PER_UNIT * worth,
        reset=p.reset,
    )


def _input(name: str, shape: Shape, options: Options) -> Input:
    if options.input == "spike":
        return Input(name, shape, "spike")
    return Input(name, shape, "bias", options.low, options.high)


def _latency(network: Network) -> int:
    """Steps from the first step to that at which every output starts; `Relays` has made them one."""
    found = {network.population(o.source).start - 1 - o.lag for o in network.outputs}
    if len(found) > 1 or min(found) < 0:
        raise PassError("assemble", "outputs at different steps", got=sorted(found))
    return found.pop()
