"""What these integers were held against: this Program's values, and the kinds of parts that it is made of."""

from collections.abc import Iterator, Sequence

from spikeport.commands.report.blocks import Block, Grid, Section, Words
from spikeport.commands.report.known import Compared
from spikeport.program import LIF, Conv, Dense, Program, Resonator, SigmaDelta

NAME, TITLE = "conformance", "Conformance"
PUBLISHED = "recordings that Intel published with lava-dl 0.6.0"
LAVA = "Lava 0.10.0's fixed-point models"
MISSING = (
    "Without a Program there is nothing to compare.",
    "No value of this Program was held against anything else here. For that give samples and --verify, which runs "
    "Lava, or --run Y, a run that was recorded.",
    "No value of these Programs was held against anything else here. For that give samples and --verify, which runs "
    "Lava.",
)
"""For none, one and several Programs."""
OWN = "no fixed-point model of Lava has it: a second derivation in Python's own integers"


def conformance(programs: Sequence[Program], compared: Sequence[Compared]) -> Section:
    """Values of these Programs first; then, what the project holds each of its kinds of parts against."""
    blocks: list[Block] = []
    for one in compared:
        if one.differing:
            blocks.append(Words(f"{one.against}: {one.said}; first: {one.first}", "banner"))
    if compared:
        rows = [(one.against, *_counted(one), one.what if one.values else one.missing) for one in compared]
        columns = ("this Program, beside", "values", "differing", "what was compared")
        blocks.append(Grid("The simulator's values of this Program, beside others", columns, rows,
                           words=("what was compared",)))  # fmt: skip
    if not any(one.values for one in compared):
        blocks.append(Words(MISSING[min(len(programs), 2)], "missing"))
    if not programs:
        return Section(NAME, TITLE, blocks)
    hint = (
        "The kinds of parts that this Program is made of, and what the project's tests and 'spikeport conformance' "
        "hold the simulator's rule for each against, value by value. That says nothing about this Program's own values."
    )
    parts = list(dict.fromkeys(part for program in programs for part in parts_of(program)))
    grid = Grid("Kinds of parts", ("part", "held against"), parts, words=("held against",))
    return Section(NAME, TITLE, [*blocks, Words(hint, "hint"), grid])


def _counted(one: Compared) -> tuple[str, str]:
    return (f"{one.values:,}", f"{one.differing:,}") if one.values else ("not compared", "–")


def parts_of(program: Program) -> Iterator[tuple[str, str]]:
    """(part, what it is held against), with repetitions."""
    for group in program.groups:
        match group:
            case LIF():
                yield from _of_lif(group)
            case SigmaDelta():
                yield f"sigma-delta neurons, stage {group.stage}", f"{LAVA}; {PUBLISHED}"
            case Resonator():
                yield f"resonators, {group.kind}", f"{LAVA}"
    for connection in program.connections:
        kind = {Dense: "dense", Conv: "convolution"}.get(type(connection), "sparse")
        yield f"{kind} synapses", f"{LAVA}; {PUBLISHED}" if kind != "sparse" else LAVA
        if not isinstance(connection.delay, int) or connection.delay:
            yield "delays", f"{LAVA}; {PUBLISHED}"
        if connection.graded:
            yield "spikes with payloads", f"{LAVA}; {PUBLISHED}"
    if program.encoders:
        yield "first layer on the host", "exact integers: Lava and the chip are given its result as biases"
    if program.profile == "loihi1":
        yield "overflow as on Loihi 1", "nengo-loihi's emulator of Loihi 1, in recorded vectors"
    if len({output.name for output in program.outputs if output.reads == "v"}):
        yield "v that is read out", LAVA


def _of_lif(group: LIF) -> Iterator[tuple[str, str]]:
    if group.reset == "subtract":
        yield "LIF neurons with soft reset", OWN
    elif group.signed:
        yield "LIF neurons with spikes of both signs", LAVA
    else:
        yield "LIF neurons", f"{LAVA}; {PUBLISHED}, of which PilotNet's bear a chip's mark: v = 128 at every spike"
    if group.refractory_steps:
        yield "refractory period", f"{OWN}; Lava's float model; nengo-loihi's emulator"
    if group.reset_interval:
        yield "state cleared between samples", PUBLISHED
