"""The engine against dense products in torch, from silent to busy inputs; both in one process, one thread."""

import importlib.util
from collections.abc import Sequence
from typing import Any

from spikeport.bench.cases import mlp
from spikeport.bench.engine import prepare
from spikeport.bench.timing import interleave

RATES = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


def activity(
    *, rates: Sequence[float] = RATES, steps: int, batch: int, repeats: int, seconds: float
) -> list[dict[str, Any]]:
    """One row per input rate on 784-800-10; empty without torch."""
    if importlib.util.find_spec("torch") is None:
        return []
    from spikeport.bench.torch_dense import TorchDense

    rows = []
    for rate in rates:
        case = mlp(steps=steps, batch=batch, rate=rate)
        ours, dense, x = prepare(case.program), TorchDense(case.program), case.inputs(batch)
        timings = interleave(
            {"spikeport": lambda: ours(x), "torch": lambda: dense(x)},  # noqa: B023
            repeats=repeats,
            seconds=seconds,
        )
        row: dict[str, Any] = {"rate": rate, "batch": batch, **{name: t.to_json() for name, t in timings.items()}}
        row["differing"] = int((ours(x) != dense(x)).sum())
        row["ratio"] = timings["torch"].best / timings["spikeport"].best
        rows.append(row)
    return rows
