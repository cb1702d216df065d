"""The optimizer of a recipe: torch's, with weight decay on weights alone."""

from typing import Any

import torch
from torch import nn

from spikeport.errors import RecipeInvalid
from spikeport.train.neurons import AbstractNeuron
from spikeport.train.settings import Train


def build_optimizer(model: nn.Module, course: Train) -> torch.optim.Optimizer:
    """Adam, AdamW or SGD over groups of parameters: those that decay and those that do not, each with its rate."""
    apart = _bottleneck(model, course)
    groups: list[dict[str, Any]] = []
    for parameters, decay in zip(split_parameters(model), (course.weight_decay, 0.0), strict=True):
        usual, own = ([p for p in parameters if (id(p) in apart) is wanted] for wanted in (False, True))
        groups.append({"params": usual, "weight_decay": decay, "factor": 1.0})
        groups.append({"params": own, "weight_decay": decay, "factor": course.bottleneck_factor})
    groups = [group for group in groups if group["params"]]
    match course.optimizer:
        case "adam":
            return torch.optim.Adam(groups, lr=course.learning_rate)
        case "adamw":
            return torch.optim.AdamW(groups, lr=course.learning_rate)
    return torch.optim.SGD(groups, lr=course.learning_rate, momentum=course.momentum)


def split_parameters(model: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Weights of two or more axes, and all else that learns: neurons, biases, batch norm."""
    of_neurons = {
        id(p) for module in model.modules() if isinstance(module, AbstractNeuron) for p in module.parameters()
    }
    decayed: list[nn.Parameter] = []
    free: list[nn.Parameter] = []
    for parameter in model.parameters():
        if parameter.requires_grad:
            (decayed if parameter.dim() >= 2 and id(parameter) not in of_neurons else free).append(parameter)
    return decayed, free


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Of each group times its `factor`."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group["factor"]


def _bottleneck(model: nn.Module, course: Train) -> set[int]:
    """The parameters, by id, whose rate is apart."""
    if course.bottleneck_factor == 1:
        return set()
    found = [module for name, module in model.named_modules() if name.rpartition(".")[2] == "bottleneck"]
    if not found:
        got, do = course.bottleneck_factor, "leave it out; of the models, ESVAE has one"
        limit = "a model with a bottleneck"
        raise RecipeInvalid("train", "bottleneck_factor", got=got, relation="needs", limit=limit, do=do)
    return {id(p) for module in found for p in module.parameters()}
