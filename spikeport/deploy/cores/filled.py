"""Blocks in row-major order, as large as fit: what a mapping does that looks at one layer and one core at a time."""

from collections.abc import Iterator, Mapping

from spikeport.chip import Chip
from spikeport.cores import Cut
from spikeport.deploy.cores.loads import limits_of, loads
from spikeport.program import Program


def filled(program: Program, chip: Chip, name: str, cuts: Mapping[str, Cut]) -> Cut:
    """The largest blocks that fit, by bisection."""
    blocks = list(_row_major(cuts[name]))
    low, high = 0, len(blocks) - 1
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(program, chip, name, {**cuts, name: blocks[middle]}) else (low, middle - 1)
    return blocks[low]


def _row_major(cut: Cut) -> Iterator[Cut]:
    """Runs of a row, of rows, of channels, from the shortest on."""
    channels, rows, columns = cut.shape
    wide = 1 << (columns - 1).bit_length() if cut.padded else columns
    lengths = [1 << k for k in range(wide.bit_length())] if cut.padded else range(1, columns + 1)
    yield from (Cut(cut.shape, (1, 1, n), cut.padded) for n in lengths)
    yield from (Cut(cut.shape, (1, n, wide), cut.padded) for n in range(2, rows + 1))
    yield from (Cut(cut.shape, (n, rows, wide), cut.padded) for n in range(2, channels + 1))


def fits(program: Program, chip: Chip, name: str, cuts: Mapping[str, Cut]) -> bool:
    if cuts[name].room.max() > chip.neurons_per_core:
        return False
    needed = loads(program, chip, name, cuts)
    return all(needed[resource].max() <= limit for resource, limit in limits_of(chip).items())
