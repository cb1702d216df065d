"""A row for each layer: what it is, what it did, and whether it can overflow."""

from collections.abc import Mapping, Sequence

from spikeport.commands.report.blocks import Beside, Block, Grid, Picture, Section, Words
from spikeport.commands.report.known import number
from spikeport.commands.report.observed import Observed
from spikeport.deploy.bounds import GroupBounds, prove
from spikeport.fixed import Ints
from spikeport.page import bars, drawing, svg
from spikeport.program import LIF, Connection, Group, Program, Resonator
from spikeport.sim.counting.counts import Counts, LayerCounts
from spikeport.sim.energy.formats import format_count

NAME, TITLE = "layers", "Layers"
BARS = 40
"""Layers that are drawn; the tables have all."""
WHAT = ("layer", "neurons", "shape", "kind", "weights", "mantissas", "decays", "threshold", "cleared, steps",
        "|v| at most")  # fmt: skip
DID = ("layer", "rate", "input rate", "SOPs", "MACs on the host", "never fired", "fired at every step")
NONE = "–"
OVERFLOW = "may overflow"


def layers(program: Program, ran: Observed | None) -> Section:
    """Figures of a run are left out without one."""
    proofs = {found.group: found for found in prove(program)}
    hint = (
        "Weights are integer mantissas and their exponent; du, dv and the threshold are the chip's registers. |v| at "
        "most: what any input can bring v to, as a part of its word, by a proof from weights, biases and decays. "
        "Within 100% the layer cannot overflow."
    )
    if not all(isinstance(group, LIF) for group in program.groups):
        hint += " Of neurons without a v it is the state that comes nearest to the end of its word."
    rows = [what_row(program, group, proofs[group.name]) for group in program.groups]
    blocks: list[Block] = [Words(hint, "hint")]
    names = ("shape", "kind", "mantissas", "decays")
    blocks.append(Grid("What each layer is", WHAT, rows, names=names))
    if open_ := sum(not proof.proven for proof in proofs.values()):
        said = f"{number(open_, 'layer')} may overflow as far as the proof goes"
        blocks.append(Words(f"{said}; 'spikeport check' looks for an input that overflows one.", "hint"))
    if ran is None:
        blocks.append(Words("For rates, SOPs and saturation give samples: --input X.NPZ.", "missing"))
        return Section(NAME, TITLE, blocks)
    did = [did_row(layer, ran.counts, ran.fired, layer.name in program.integrators) for layer in ran.counts.layers]
    hint = (
        f"Over {number(ran.batch, 'sample')} of {number(ran.steps, 'step')}; SOPs and MACs per "
        "inference. Neurons that never fired, or fired at every step of every sample, carry no information there."
    )
    blocks += [Words(hint, "hint"), Grid("What each layer did", DID, did), _drawn(ran.counts)]
    return Section(NAME, TITLE, blocks)


def what_row(program: Program, group: Group, proof: GroupBounds) -> tuple[str, ...]:
    """In the order of `WHAT`."""
    into = [c for c in program.connections if c.target == group.name]
    host = [e.synapses for e in program.encoders if e.synapses.target == group.name]
    weights = sum(c.weight.size for c in [*into, *host])
    cleared = f"every {group.reset_interval:,}" if group.reset_interval else "never"
    return (
        group.name, f"{group.size:,}", " × ".join(map(str, group.shape)), kind_of(group), f"{weights:,}",
        mantissas(into, host), _decays(group), f"{group.vth:,}", cleared,
        _bound(proof),
    )  # fmt: skip


def kind_of(group: Group) -> str:
    """The kind of neuron, with what is not plain about it."""
    if not isinstance(group, LIF):
        return f"resonator, {group.kind}" if isinstance(group, Resonator) else f"sigma-delta, stage {group.stage}"
    more = ["soft reset"] * (group.reset == "subtract") + ["spikes of both signs"] * group.signed
    more += [f"rests {group.refractory_steps} steps"] * bool(group.refractory_steps)
    return ", ".join(["integrator" if group.integrates else "LIF", *more])


def mantissas(into: Sequence[Connection], host: Sequence[Connection]) -> str:
    """Ranges of the mantissas and their exponents, a part for each connection."""
    parts = []
    for connection in [*into, *host]:
        if connection.weight.size:
            low, high = connection.weight.min(), connection.weight.max()
            text = f"{low} to {high}" if low < high else f"{low}"
            text += f" × 2^{connection.weight_exp}" if connection.weight_exp else ""
            parts.append(text + (" on the host" if any(connection is c for c in host) else ""))
    shown = parts[:4] + [f"{len(parts) - 4} more"] * (len(parts) > 4)
    return "; ".join(shown) or NONE


def _decays(group: Group) -> str:
    if isinstance(group, LIF):
        return f"du {group.du:,}, dv {group.dv:,}"
    return f"cos {group.cos_decay:,}, sin {group.sin_decay:,}" if isinstance(group, Resonator) else NONE


def _bound(proof: GroupBounds) -> str:
    shares = [
        max(-bound.interval[0], bound.interval[1]) / bound.word[1]
        for bound in proof.bounds
        if bound.word is not None and bound.what in ("v", "re", "im", "sigma", "act")
    ]
    if not shares:
        return NONE if proof.proven else OVERFLOW
    shown = f"{max(shares):.1%}" if max(shares) < 10 else "over 1,000%"
    return shown if proof.proven else f"{shown}, {OVERFLOW}"


def did_row(layer: LayerCounts, counts: Counts, fired: Mapping[str, Ints], integrates: bool) -> tuple[str, ...]:
    """In the order of `DID`; what only integrates is not meant to fire."""
    each, sent = counts.per_inference, fired[layer.name]
    steps = layer.steps * counts.samples
    silent, always = int((sent == 0).sum()), int((sent == steps).sum()) if steps else 0
    extremes = (NONE, NONE) if integrates else (_of(silent, layer.neurons), _of(always, layer.neurons))
    return (
        layer.name, f"{float(layer.rate):.2%}", f"{float(layer.input_rate):.2%}" if layer.connections else NONE,
        format_count(float(each(layer.sops))), format_count(float(each(layer.host_macs))) if layer.encoders else NONE,
        *extremes,
    )  # fmt: skip


def _of(count: int, neurons: int) -> str:
    share = f"{count / neurons:.0%}" if count >= neurons / 100 else "below 1%"
    return f"{count:,} ({share})" if count else "0"


def _drawn(counts: Counts) -> Block:
    shown = counts.layers[:BARS]
    left = f" The first {BARS} of {len(counts.layers):,} layers are drawn." if len(counts.layers) > BARS else ""
    each = counts.per_inference
    rates = [(layer.name, float(layer.rate), f"{float(layer.rate):.2%}") for layer in shown]
    sops = [(layer.name, float(each(layer.sops)), f"{format_count(float(each(layer.sops)))} SOPs") for layer in shown]
    with drawing():
        pictures = [
            Picture(svg("rates", bars(rates)), "Firing rate of each layer", _described(rates),
                    f"Spikes per neuron and step; the longest bar is the busiest layer.{left}"),
            Picture(svg("sops", bars(sops)), "Synaptic operations of each layer", _described(sops),
                    f"SOPs into each layer, per inference.{left}"),
        ]  # fmt: skip
    return Beside(pictures)


def _described(rows: Sequence[tuple[str, float, str]]) -> str:
    return "; ".join(f"{name} {text}" for name, _, text in rows)
