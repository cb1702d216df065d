"""Two processes that share a batch get the moments, spikes and gradients of the whole."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.arrays import arrays_of
from tests.train.fused import halves

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, np.ndarray]]:
    """What each process wrote."""
    folder = tmp_path_factory.mktemp("halves")
    command = [sys.executable, "-m", "tests.train.fused.halves"]
    surroundings = {**os.environ, "GLOO_SOCKET_IFNAME": "lo", "PYTHONPATH": str(ROOT)}
    started = [subprocess.Popen([*command, str(rank), str(folder)], cwd=ROOT, env=surroundings) for rank in (0, 1)]
    try:
        assert [process.wait(timeout=120) for process in started] == [0, 0]
    finally:
        for process in started:
            process.kill()
            process.wait()
    return [arrays_of(folder / f"{rank}.npz") for rank in (0, 1)]


@pytest.mark.parametrize("constant", [False, True])
@pytest.mark.parametrize("way", list(halves.WAYS))
def test_halves_are_the_whole(found: list[dict[str, np.ndarray]], way: str, constant: bool) -> None:
    whole = halves.gradients("reference", slice(None), constant, sync=False)
    for name, tensor in whole.items():
        expected, parts = tensor.numpy(), [part[f"{way} {constant} {name}"] for part in found]
        if name in ("mean", "var", "n"):  # everybody has those of all
            both = np.stack(parts)
        elif name in ("x", "x_2", "spikes"):
            steps = 1 if constant and name != "spikes" else halves.STEPS
            both = np.concatenate([part.reshape(steps, -1, *part.shape[1:]) for part in parts], axis=1)
            both = both.reshape(expected.shape)
        else:  # the sum over processes
            both = sum(parts)
        np.testing.assert_allclose(both, np.broadcast_to(expected, np.shape(both)), rtol=1e-12, atol=1e-12)
