"""Changes that may make a Program fit a chip: which are worth a try follows from what is broken. None is checked
here.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from spikeport import fixed
from spikeport.chip import CHIPS, Chip
from spikeport.deploy.resize import with_channels, with_double_stride
from spikeport.deploy.rules.base import Design, Violation
from spikeport.deploy.rules.occupancy import CHIP
from spikeport.program import LIF, Connection, Conv, Program

Key = tuple[str, str]
"""A rule and a layer."""
Make = Callable[[Design, int], Design]

LAYERS_TRIED = 4
SHARES = 16
SAME, NUMBERS, OTHER_CHIP, MORE_CHIPS, SMALLER = range(5)
"""How far a change goes: the spikes stay, some numbers change, the hardware does, the network does."""


@dataclass(frozen=True)
class Change:
    """One way to change a design, in one or more sizes."""

    kind: int
    text: str
    """With `{size}` where its size is told."""
    make: Make
    """Raises ProgramError where there is no such Program."""
    mends: frozenset[Key]
    """What has to be gone afterwards."""
    sizes: Sequence[int] = (0,)
    """From the nearest on; where one is of use, so are those behind it."""


def changes(design: Design, violations: Sequence[Violation]) -> Iterator[Change]:
    """Worth a try for a design that breaks these rules."""
    broken = {(v.id, v.layer): v for v in violations}
    yield from _numbers(design, broken)
    for chip in CHIPS.values():
        if chip.name != design.chip.name:
            yield Change(
                OTHER_CHIP, f"the network as it is on a {chip.name}", partial(_on, chip=chip), frozenset(broken)
            )
    room = frozenset(key for key in broken if key[1] == CHIP)
    if room:
        yield from _more_room(design, room)
    for layer in dict.fromkeys(v.layer for v in violations if v.id.endswith("_one_core")):
        yield from _layer(design, layer, frozenset(key for key in broken if key[1] == layer))


def _on(design: Design, size: int, *, chip: Chip) -> Design:
    return Design(replace(design.program, chip=chip.name), chip)


def _numbers(design: Design, broken: dict[Key, Violation]) -> Iterator[Change]:
    """All numbers out of range that have a nearest one in range, rule by rule."""
    for kind, rule, moved in (
        (SAME, "weight_exponents_fit", _exponents),
        (NUMBERS, "reset_intervals_are_powers_of_two", _intervals),
        (NUMBERS, "decays_fit_12_bits", _decays),
        (NUMBERS, "thresholds_fit_17_bits", _thresholds),
        (NUMBERS, "delays_fit", _delays),
    ):
        mends = frozenset(key for key in broken if key[0] == rule)
        if mends:
            layers = ", ".join(dict.fromkeys(layer.split(".")[0] for _, layer in sorted(mends)))
            text = f"{layers} with {_SAYS[rule]}"
            yield Change(kind, text, partial(_sized, moved=moved), mends)


def _sized(design: Design, size: int, *, moved: Callable[[Design], Design]) -> Design:
    return moved(design)


_SAYS = {
    "weight_exponents_fit": "exponents in range, mantissas shifted against them",
    "reset_intervals_are_powers_of_two": "reset intervals raised to the next power of two",
    "decays_fit_12_bits": "decays at the nearest end of their range",
    "thresholds_fit_17_bits": "thresholds at the nearest end of their range",
    "delays_fit": "delays cut at the longest",
}


def _with_connections(design: Design, change: Callable[[Connection], Connection]) -> Design:
    program = replace(design.program, connections=tuple(change(c) for c in design.program.connections))
    return Design(program, design.chip)


def _with_lifs(design: Design, change: Callable[[LIF], LIF]) -> Design:
    groups = tuple(change(g) if isinstance(g, LIF) else g for g in design.program.groups)
    return Design(replace(design.program, groups=groups), design.chip)


def _exponents(design: Design) -> Design:
    """The same products with other exponents; a connection whose mantissas do not allow it stays."""

    def move(c: Connection) -> Connection:
        exponent = min(max(c.weight_exp, design.chip.min_weight_exp), design.chip.max_weight_exp)
        by = exponent - c.weight_exp
        weight = c.weight.astype(np.int64)
        shifted = weight << -by if by < 0 else weight >> by
        exact = by <= 0 or not np.any(weight & ((1 << by) - 1))
        fits = exact and fixed.fits_mantissa(shifted)
        return replace(c, weight=shifted, weight_exp=exponent) if fits else c

    return _with_connections(design, move)


def _intervals(design: Design) -> Design:
    def raised(g: LIF) -> LIF:
        interval = g.reset_interval
        return replace(g, reset_interval=1 << (interval - 1).bit_length()) if interval else g

    return _with_lifs(design, raised)


def _decays(design: Design) -> Design:
    most = design.chip.max_decay
    return _with_lifs(design, lambda g: replace(g, du=min(max(g.du, 0), most), dv=min(max(g.dv, 0), most)))


def _thresholds(design: Design) -> Design:
    low, high = design.chip.min_threshold, design.chip.max_threshold
    return _with_lifs(design, lambda g: replace(g, vth=min(max(g.vth, low), high)))


def _delays(design: Design) -> Design:
    most = design.chip.max_delay

    def cut(c: Connection) -> Connection:
        if isinstance(c, Conv):
            return replace(c, delay=min(c.delay, most))
        return replace(c, delay=min(c.delay, most) if isinstance(c.delay, int) else np.minimum(c.delay, most))

    return _with_connections(design, cut)


def _more_room(design: Design, mends: frozenset[Key]) -> Iterator[Change]:
    """For a network that is too large for the chip."""
    count = max(-(-design.cores.cores // design.chip.cores_per_chip), 2)
    if count <= design.chip.chips_per_system:
        text = f"the network as it is on {{size}} chips of {design.chip.name}"
        yield Change(MORE_CHIPS, text, _several, mends, (count,))
    hidden = _hidden(design.program)
    largest = sorted((p for p in design.cores if p.group in hidden), key=lambda p: -p.cores)[:LAYERS_TRIED]
    for placement in largest:
        yield _narrower(design, placement.group, mends)
    yield Change(
        SMALLER, f"all layers with {{size}}/{SHARES} of their channels", _share, mends, range(SHARES - 1, 0, -1)
    )
    strided = [name for name in hidden if _has_convolution(design.program, name)]
    for name in strided[:LAYERS_TRIED]:
        yield _coarser(name, mends)


def _layer(design: Design, layer: str, mends: frozenset[Key]) -> Iterator[Change]:
    """For one neuron that is too much for a core: what it hears from, or sends to, is made smaller."""
    hidden = _hidden(design.program)
    sources = [c.source for c in design.program.connections if c.target == layer]
    targets = [c.target for c in design.program.connections if c.source == layer]
    fan_out = any(rule.startswith("fan_out") for rule, _ in mends)
    for name in dict.fromkeys(n for n in (targets if fan_out else sources) if n in hidden):
        yield _narrower(design, name, mends)
        if _has_convolution(design.program, name):
            yield _coarser(name, mends)


def _several(design: Design, size: int) -> Design:
    return Design(design.program, replace(design.chip, cores_per_chip=size * design.chip.cores_per_chip))


def _narrower(design: Design, name: str, mends: frozenset[Key]) -> Change:
    shape = design.program.shape_of(name)
    what = "channels" if len(shape) == 3 else "neurons"
    text = f"{name} with {{size}} of {shape[0]} {what}"
    return Change(SMALLER, text, partial(_channels, name=name), mends, range(shape[0] - 1, 0, -1))


def _channels(design: Design, size: int, *, name: str) -> Design:
    return Design(with_channels(design.program, {name: size}), design.chip)


def _share(design: Design, size: int) -> Design:
    hidden = _hidden(design.program)
    channels = {name: -(-design.program.shape_of(name)[0] * size // SHARES) for name in hidden}
    return Design(with_channels(design.program, channels), design.chip)


def _coarser(name: str, mends: frozenset[Key]) -> Change:
    return Change(SMALLER, f"{name} with twice the stride", partial(_stride, name=name), mends)


def _stride(design: Design, size: int, *, name: str) -> Design:
    return Design(with_double_stride(design.program, name), design.chip)


def _hidden(program: Program) -> list[str]:
    """Groups that are not handed out: the network's inputs and outputs stay as they are."""
    outputs = {output.source for output in program.outputs}
    return [g.name for g in program.groups if g.name not in outputs]


def _has_convolution(program: Program, name: str) -> bool:
    layers = [*program.connections, *(e.synapses for e in program.encoders)]
    return any(isinstance(c, Conv) and c.target == name for c in layers)
