"""Rows that are spread over processes, as one batch: what a loss needs that is no mean over samples, such as MMD."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from spikeport.train.autoencoders import Autoencoder
from spikeport.train.loop.objective import Place


@contextmanager
def gathering(model: Autoencoder, place: Place) -> Iterator[None]:
    """While it is entered, `model.gather` gives the global batch.

    The loop weighs each part's loss by n P / N, with n of the N samples and P processes, and then averages over
    processes. So the gradient of a loss of all rows reaches a process's own rows times N / n.
    """
    if place.processes == 1:
        yield
        return

    def gather(rows: Tensor) -> Tensor:
        whole: Tensor = _Gathered.apply(rows, place.first, place.samples)  # type: ignore[no-untyped-call]
        return whole

    model.gather = gather
    try:
        yield
    finally:
        del model.gather


class _Gathered(torch.autograd.Function):
    """A sum over processes of rows that are 0 where another one has them: exact, and parts may be uneven."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, first: int, samples: int) -> Tensor:
        ctx.own, ctx.factor = slice(first, first + len(rows)), samples / len(rows)
        whole = rows.new_zeros(samples, *rows.shape[1:])
        whole[ctx.own] = rows
        torch.distributed.all_reduce(whole)
        return whole

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        return grad[ctx.own] * ctx.factor, None, None
