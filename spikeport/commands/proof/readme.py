"""`README.md` of a bundle: how a stranger checks it."""

from collections.abc import Mapping

from spikeport.program import Program

_TEXT = """\
# A spiking network that proves what it does

{what}, compiled to integers for {chip} by spikeport {spikeport}, with an input of {steps} steps and {samples} samples
and the values that every neuron must then have. Arithmetic profile: {profile}.

## Check it with Python and numpy

    python -m zipfile -e BUNDLE.zip bundle && python bundle/replay.py

`replay.py` needs numpy alone. It is short: read it, it says how such a network runs. It prints a line for each file
and each layer, `equal` or where it differs, and exits 0 if all is equal and 1 if not.

## Check it with spikeport

    spikeport verify BUNDLE.zip            # every byte, every layer, in the simulator
    spikeport verify BUNDLE.zip --lava     # on Lava's fixed-point models too

## Run it where Lava or a chip is

    uv run --script workers/lava_worker.py program.h5 input.npz lava.npz    # Python 3.10 and lava-nc, fetched by uv
    python workers/loihi_worker.py program.h5 input.npz board.h5            # a Loihi 2, where Intel's lava-loihi is

## What is in it

| file | what it is |
|---|---|
| `manifest.json` | size and SHA-256 of every other file, versions, and a seal of its own |
| `program.h5` | the Program: neurons, synapses, delays, biases, all integers |
| `program.json`, `program.npz` | the same Program for readers without HDF5 |
{nir}| `input.npz` | the input, one array (steps, samples, ...) by name |
| `expected.npz` | what every layer sends, and v where an output reads it: (steps, samples, neurons), or bits of it |
| `expected.json` | SHA-256 of every layer's spikes and state, over all steps and of each |
| `mapping.json` | which core has which neurons |
| `workers/` | `lava_worker.py` runs a Program on Lava, `loihi_worker.py` on a Loihi 2; they need no spikeport |
| `replay.py` | the check |

The archive is stored, not compressed, and has no times in it: the same network and input give the same bytes.

## Layers

| layer | neurons | spikes |
|---|---|---|
{layers}

The hardware takes {hardware} steps: outputs lag the input by {latency}.
"""
_NIR = "| `net.nir` | the NIR graph that the Program was compiled from |\n"


def readme_file(
    program: Program, spikes: Mapping[str, int], steps: int, samples: int, nir: bool, version: str
) -> bytes:
    """
    Args:
        spikes: By group.
        steps: Of the input.
        version: Of spikeport.
    """
    rows = [f"| {g.name} | {g.size:,} | {spikes[g.name]:,} |" for g in program.groups]
    text = _TEXT.format(
        what=f"{len(program.groups)} layers, {sum(g.size for g in program.groups):,} neurons",
        chip=program.chip,
        spikeport=version,
        profile=program.profile,
        steps=steps,
        samples=samples,
        nir=_NIR if nir else "",
        layers="\n".join(rows),
        hardware=steps + program.latency,
        latency=program.latency,
    )
    return text.encode()
