"""The optimizer of a recipe: torch's, with weight decay on weights alone."""

import torch
from torch import nn

from spikeport.train.neurons import AbstractNeuron
from spikeport.train.settings import Train


def build_optimizer(model: nn.Module, course: Train) -> torch.optim.Optimizer:
    """Adam, AdamW or SGD over two groups of parameters: those that decay, and the others."""
    decayed, free = split_parameters(model)
    groups = [
        {"params": decayed, "weight_decay": course.weight_decay},
        {"params": free, "weight_decay": 0.0},
    ]
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
    for group in optimizer.param_groups:
        group["lr"] = rate
