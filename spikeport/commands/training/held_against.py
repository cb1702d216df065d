"""A network in training, held against the chip: exported, compiled and checked as it is."""

import copy

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from spikeport import fixed
from spikeport.commands.bars import say
from spikeport.deploy import compile_graph
from spikeport.deploy.bounds import prove
from spikeport.deploy.rules import design, violations
from spikeport.errors import DeployError, ExportError
from spikeport.export import to_nir
from spikeport.program import Program
from spikeport.train import ChipCheck, set_quantize


def chip_check(model: nn.Module, image: NDArray[np.uint8], target: str) -> ChipCheck | None:
    """Broken design rules, cores, and how much of v's word any input can fill; None for what no chip holds at all.

    Args:
        image: One, `(1, c, h, w)`; only its shape is read.
    """
    frozen = copy.deepcopy(model).cpu().eval()
    set_quantize(frozen, True)
    try:
        program = compile_graph(to_nir(frozen, torch.from_numpy(image)), target)
    except (ExportError, DeployError) as error:
        say(f"not checked against {target}: {error}")
        return None
    designed = design(program, target)
    cores = designed.cores.cores
    return ChipCheck(len(violations(designed)), cores, _v_share(program))


def _v_share(program: Program) -> float:
    found = [bound for group in prove(program) for bound in group.bounds if bound.what == "v" and bound.word]
    return max((max(-bound.interval[0], bound.interval[1]) / fixed.V_MAX for bound in found), default=0.0)
