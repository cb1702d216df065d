"""The grid of a layer's weights: one unit for all of its branches, and an exponent for each.

With w_i the folded weights of branch i, L_i their levels and n_i the places of its means:

    unit_i = max|w_i| / L_i / 2 n_i         what mantissa 1, on one spike, is worth for the branch alone
    unit   = unit_0, the main branch's; exponent e_1 = ceil(log2(unit_1 / unit)), of the other
             (or finer by 2^-e_1 where that is below 0, and the main branch has the exponent)
             A branch that adds up many spikes has an exponent of 2 at most, so that its sums stay in their word; where
             that is not enough, the lighter branch has fewer levels.
    step_i = 2 n_i unit 2^e_i               w_i = k step_i, |k| <= L_i; mantissas are 2 k
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from spikeport import fixed
from spikeport.train.quant import lsb_of

EXP_OF_MANY = 2
"""Of a branch that adds up spikes: 129 of its largest weight still fit the current."""


@dataclass(frozen=True, eq=False)
class Grid:
    """Scalars without gradient."""

    unit: Tensor
    steps: tuple[Tensor, ...]
    exps: tuple[Tensor, ...]


def grid_of(largest: Sequence[Tensor], levels: Sequence[int], places: Sequence[int], one_to_one: bool = False) -> Grid:
    """The grid of one branch, or of two.

    Args:
        largest: max|w_i|, scalars without gradient.
        one_to_one: Whether a neuron hears one spike of the second branch at most.
    """
    lsbs = [lsb_of(most, n) for most, n in zip(largest, levels, strict=True)]
    if len(lsbs) == 1:
        return Grid(lsbs[0] / (2 * places[0]), (lsbs[0],), (torch.zeros_like(lsbs[0]),))
    main, other = (lsb / (2 * n) for lsb, n in zip(lsbs, places, strict=True))
    main, other = torch.where(largest[0] > 0, main, other), torch.where(largest[1] > 0, other, main)
    exp = torch.ceil(torch.log2(other / main))
    exp = torch.where(torch.exp2(exp) * main < other, exp + 1, exp)  # log2 rounds
    most = fixed.WEIGHT_EXP_MAX if one_to_one else EXP_OF_MANY
    exp = exp.clamp(-EXP_OF_MANY, most)
    unit = torch.maximum(main * torch.exp2(exp.clamp(max=0)), other / 2.0**most)
    exps = (-exp).clamp(min=0), exp.clamp(min=0)
    steps = tuple(2 * n * unit * torch.exp2(e) for n, e in zip(places, exps, strict=True))
    return Grid(unit, steps, exps)
