"""Which chip each core is on: those that tell each other much are on one.

Kernighan and Lin (Bell System Technical Journal 49, 1970): two cores of different chips change places, the best such
pair first, even where that costs messages, and no core twice in a pass; what was best on the way is kept. Passes end
where one saves nothing. Seats that are free are cores that send nothing, so chips need not be equally full.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from spikeport.deploy.cores.activity import Floats
from spikeport.fixed import Ints

PATIENCE = 64
"""Exchanges in a row that save nothing, and a pass ends."""


def parted(both: sparse.csr_array, chip: Ints, effort: int) -> Ints:
    """Chips with fewer messages between them, `(seats,)`, as many seats on each as before.

    Args:
        both: Messages in a step between cores, both ways added up, `(cores, cores)`; the other seats are free.
        chip: Of each seat; those of the cores come first.
        effort: How many pairs of a seat and a chip are looked at; it bounds the time.
    """
    chip, chips = chip.copy(), int(chip.max()) + 1
    steps = effort // (chip.size * chips)
    while steps >= PATIENCE:  # of a very large network not one pass, nor an array for it
        taken, saved, kept = _pass(both, chip, chips, steps)
        for one, other in taken[:kept]:
            chip[[one, other]] = chip[[other, one]]
        steps -= len(taken)
        if saved <= 1e-9 * both.sum():
            break
    return chip


def _pass(both: sparse.csr_array, chip: Ints, chips: int, steps: int) -> tuple[list[tuple[int, int]], float, int]:
    """Exchanges in their order, what the best run of them saves, and how many that are."""
    chip = chip.copy()
    to = np.zeros((chip.size, chips))
    to[: both.shape[0]] = both @ np.eye(chips)[chip[: both.shape[0]]]
    free = np.ones(chip.size, bool)
    taken: list[tuple[int, int]] = []
    sum_, most, kept = 0.0, 0.0, 0
    for _ in range(steps):
        found = _best(both, to, chip, free, chips)
        if found is None or len(taken) - kept >= PATIENCE:
            break
        saved, one, other = found
        for core, before, after in ((one, chip[one], chip[other]), (other, chip[other], chip[one])):
            near, messages = _row(both, core)
            to[near, before] -= messages
            to[near, after] += messages
        chip[[one, other]] = chip[[other, one]]
        free[[one, other]] = False
        taken.append((one, other))
        sum_ += saved
        if sum_ > most:
            most, kept = sum_, len(taken)
    return taken, most, kept


def _best(
    both: sparse.csr_array, to: Floats, chip: Ints, free: NDArray[np.bool_], chips: int
) -> tuple[float, int, int] | None:
    """What it saves, and a pair: of the two chips whose best cores save most, the best core and who goes for it."""
    at = np.flatnonzero(free)
    at = at[np.argsort(chip[at], kind="stable")]
    here, first = np.unique(chip[at], return_index=True)
    if here.size < 2:
        return None
    gain = to[at] - to[at, chip[at]][:, None]
    best = np.full((chips, chips), -np.inf)
    best[here] = np.maximum.reduceat(gain, first, axis=0)
    pairs = best + best.T
    np.fill_diagonal(pairs, -np.inf)
    a, b = np.unravel_index(int(pairs.argmax()), pairs.shape)
    mine, theirs = np.flatnonzero(chip[at] == a), np.flatnonzero(chip[at] == b)
    one = int(mine[gain[mine, b].argmax()])
    apart = np.zeros(chip.size)
    near, messages = _row(both, int(at[one]))
    apart[near] = messages
    saved = gain[one, b] + gain[theirs, a] - 2 * apart[at[theirs]]  # between the two nothing changes
    k = int(saved.argmax())
    return float(saved[k]), int(at[one]), int(at[theirs[k]])


def _row(both: sparse.csr_array, core: int) -> tuple[Ints, Floats]:
    """Whom a core tells or hears, and how much; nobody for a free seat."""
    if core >= both.shape[0]:
        return np.zeros(0, np.int64), np.zeros(0)
    near = slice(both.indptr[core], both.indptr[core + 1])
    return both.indices[near], both.data[near]
