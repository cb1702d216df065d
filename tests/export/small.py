"""Small Programs by hand, of plain LIF."""

from typing import Any

import numpy as np

from spikeport.program import LIF, Dense, Input, Output, Program


def lif(name: str, n: int, bias: Any = 0, **options: Any) -> LIF:
    values = {"du": 4095, "dv": 1024, "vth": 60, "reset_interval": 32768, "reset_offset": 2} | options
    return LIF(name, (n,), bias_mant=np.broadcast_to(bias, (n,)), **values)


def one(weight: list[list[int]], connection: dict[str, Any] | None = None, **options: Any) -> Program:
    """x -> g -> y."""
    w = np.array(weight)
    dense = Dense("x", "g", w, **(connection or {}))
    inputs, outputs = (Input("x", (w.shape[1],), "spike"),), (Output("y", "g"),)
    return Program((lif("g", w.shape[0], **options),), (dense,), inputs, outputs, latency=1)


def residual() -> Program:
    """x -> a -> b, and x and a -> c beside b: three connections of unequal exponents and signs into one group."""
    w = np.array([[3, 255, 0], [7, 11, 13], [1, 2, 200]])
    connections = (
        Dense("x", "a", w),
        Dense("a", "b", 2 * (w // 3) - 20),
        Dense("x", "c", w, 2, delay=2),
        Dense("a", "c", 2 * (w // 2) - 100, delay=1),
        Dense("b", "c", -(w // 8)),
    )
    groups = (lif("a", 3), lif("b", 3, [5, 0, -90], reset_offset=3), lif("c", 3, [1, 2, 3], reset_offset=4, vth=400))
    return Program(groups, connections, (Input("x", (3,), "spike"),), (Output("y", "c"),), latency=3)
