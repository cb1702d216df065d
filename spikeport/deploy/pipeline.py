"""`compile_graph`: the passes in order, each checked and named when it fails."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import nir

from spikeport.chip import Chip, chip_named
from spikeport.deploy.convention import NIR, Convention
from spikeport.deploy.graph import Graph
from spikeport.deploy.guess import convention_named, guess, mended
from spikeport.deploy.network import Network
from spikeport.deploy.options import Options, options_for
from spikeport.deploy.passes.assemble import Assemble
from spikeport.deploy.passes.base import AbstractPass
from spikeport.deploy.passes.fold_neurons import FoldNeurons
from spikeport.deploy.passes.merge import MergeDuplicates
from spikeport.deploy.passes.one_decay import OneDecay
from spikeport.deploy.passes.one_threshold import OneThreshold
from spikeport.deploy.passes.per_channel import PerChannel
from spikeport.deploy.passes.quantize import Quantize
from spikeport.deploy.passes.relays import Relays
from spikeport.deploy.passes.schedule import Schedule
from spikeport.deploy.passes.several_spikes import SeveralSpikes
from spikeport.deploy.passes.sources import Sources
from spikeport.deploy.passes.thresholds import ThresholdsToNeurons
from spikeport.deploy.passes.ties import Ties
from spikeport.deploy.passes.to_network import ToNetwork
from spikeport.deploy.quantize.integer_network import IntegerNetwork
from spikeport.deploy.read import from_nir, read_nir
from spikeport.errors import DeployError, WrongType
from spikeport.program import Program
from spikeport.progress import counted

TO_NETWORK: tuple[AbstractPass[Any, Any], ...] = (
    FoldNeurons(),
    ThresholdsToNeurons(),
    ToNetwork(),
    SeveralSpikes(),
    OneThreshold(),
    OneDecay(),
    PerChannel(),
    Ties(),
    Sources(),
    Schedule(),
    Relays(),
)
TO_INTEGERS: tuple[AbstractPass[Any, Any], ...] = (Quantize(),)
TO_PROGRAM: tuple[AbstractPass[Any, Any], ...] = (MergeDuplicates(), Assemble())
PIPELINE = (*TO_NETWORK, *TO_INTEGERS, *TO_PROGRAM)


@dataclass(frozen=True, eq=False)
class Compiled:
    """A Program, and the stages on the way to it."""

    program: Program
    graph: Graph
    """As it was meant; stepped by `options.convention`."""
    network: Network
    """Scheduled, in floats."""
    integers: IntegerNetwork
    """Duplicate neurons included, which the Program may lack."""
    options: Options
    remarks: tuple[str, ...]
    """What was guessed, mended, decided and lost, a line each."""


def compile_graph(
    graph: nir.NIRGraph | Graph | str | os.PathLike[str],
    chip: Chip | str = "loihi2",
    *,
    convention: Convention | str | None = None,
    after: Callable[[str, Any], None] = lambda name, stage: None,
    **options: Any,
) -> Program:
    """Compiles a NIR graph, or the file of one, to integers.

    Args:
        graph: NIR's own object, what `read_nir` gave, or the path of a file; it is not changed.
        chip: Whose limits hold and whose arithmetic is meant: `loihi2`, `loihi1`, or a `Chip`.
        convention: How the graph is stepped, or the name of a preset; guessed if None (`read_as` says how).
        after: Called with each pass's name and what it gave.
        options: Fields of `Options`. What is left out comes from the notes that spikeport's export left in the
            graph's metadata, and from the defaults of `Options` where there are none.

    Raises:
        FileError: not a NIR file. DeployError: a node or parameter that cannot be lowered, named.
        RuleError: it can be lowered, but not onto this chip.
    """
    return compiled(graph, chip, convention=convention, after=after, **options).program


def compiled(
    graph: nir.NIRGraph | Graph | str | os.PathLike[str],
    chip: Chip | str = "loihi2",
    *,
    convention: Convention | str | None = None,
    after: Callable[[str, Any], None] = lambda name, stage: None,
    **options: Any,
) -> Compiled:
    """As `compile_graph`, with the stages."""
    typed = _typed(graph)
    meant, how, said = read_as(typed, convention)
    chosen = options_for(typed.notes, how, chip=chip if isinstance(chip, Chip) else chip_named(chip), **options)
    network = run_passes(TO_NETWORK, meant, chosen, after)
    integers = run_passes(TO_INTEGERS, network, chosen, after)
    merged = run_passes(TO_PROGRAM[:1], integers, chosen, after)
    program = run_passes(TO_PROGRAM[1:], merged, chosen, after)
    return Compiled(
        program,
        meant,
        network,
        integers,
        chosen,
        (*typed.remarks, *said, *merged.network.remarks[len(typed.remarks) :]),
    )


def _typed(graph: object) -> Graph:
    """Raises WrongType for what is neither a graph nor a path, such as the network in torch."""
    if isinstance(graph, Graph):
        return graph
    if isinstance(graph, nir.NIRGraph):
        return from_nir(graph)
    if isinstance(graph, str | os.PathLike):
        return read_nir(graph)
    do = "a network in torch is exported first: compile_graph(to_nir(net, sample))"
    got = type(graph).__name__
    raise WrongType("compile_graph", "graph", got=got, relation="is not", limit="a NIR graph or a path", do=do)


def read_as(graph: Graph, convention: Convention | str | None = None) -> tuple[Graph, Convention, tuple[str, ...]]:
    """The graph as it was meant, the convention to step it by, and what was guessed and mended, for people.

    A graph with spikeport's own notes is NIR's equations, so nothing is guessed; they may say that resets are soft.
    """
    said: tuple[str, ...] = ()
    if convention is None and graph.notes:
        convention = replace(NIR, reset="subtract") if graph.notes.get("reset") == "subtract" else NIR
    elif convention is None:
        found = guess(graph)
        convention, said = found.convention, found.lines()
    elif isinstance(convention, str):
        convention = convention_named(convention)
    meant, mends = mended(graph, convention)
    return meant, convention, (*said, *mends)


def run_passes(
    passes: tuple[AbstractPass[Any, Any], ...], stage: Any, options: Options, after: Callable[[str, Any], None]
) -> Any:
    """Runs the passes; an error says which pass it came from."""
    for step in counted(passes, "compiling", "passes"):
        try:
            step.requires(stage, options)
            stage = step.run(stage, options)
            step.ensures(stage, options)
        except DeployError as error:
            error.add_note(f"in pass {step.name}")
            raise
        after(step.name, stage)
    return stage
