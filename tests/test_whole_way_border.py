"""What you train is what runs where windows and a padded convolution behind them overlap the border.

`tests/full` takes the papers' networks in their full size by the functions that are used here.
"""

import numpy as np
import pytest
import torch

from spikeport.deploy import compile_graph
from spikeport.errors import ExportError
from spikeport.export import from_program, to_nir
from spikeport.program import Conv, Sparse
from spikeport.sim import simulate
from spikeport.train.models import Source
from tests.full.way import compared, firing, images, run_torch, shown, with_statistics


@pytest.mark.parametrize(
    ("model", "shape", "options"),
    [
        ("resnet18", (3, 48, 40), {"width": 3}),
        ("resnet34", (3, 32, 32), {"width": 2, "reset": "subtract"}),
        ("alif_net", (1, 28, 28), {"channels": 4, "hidden": 24, "steps": 5}),
    ],
)
def test_every_layer_and_the_output_are_as_in_torch(
    model: str, shape: tuple[int, int, int], options: dict[str, object]
) -> None:
    source = Source(shape)
    net = with_statistics(model, source, 5, **options)
    x = images(source, 2)
    sent, y = run_torch(net, x)
    program = compile_graph(to_nir(net, x))
    layers = compared(net, program, simulate(program, shown(net, x), record=firing(program)), sent, y)
    assert [layer.differ for layer in layers] == [0] * len(layers)
    silent = [layer.name for layer in layers[:-1] if not 0.01 < layer.mean < 0.99]
    assert len(silent) <= len(layers) / 4, "so many layers are not worth comparing"


def test_means_that_overlap_are_a_kernel_and_a_border_in_every_engine_and_back() -> None:
    """ResNet-18's second layer; `test_compose.py` has the map by itself."""
    source = Source((3, 32, 32))
    net = with_statistics("resnet18", source, 5, width=2)
    x = images(source, 2)
    program = compile_graph(to_nir(net, x))
    kernel, less = (c for c in program.connections if c.target == "lif2")
    assert isinstance(kernel, Conv) and kernel.weight.shape == (2, 2, 7, 7) and kernel.stride == (2, 2)
    assert isinstance(less, Sparse) and (less.weight_exp, less.delay) == (kernel.weight_exp, kernel.delay)
    rows, columns = np.unravel_index(less.row, program.shape_of("lif2"))[1:]
    assert np.all((rows == 7) | (columns == 7))
    runs = [simulate(program, shown(net, x), engine=engine) for engine in ("events", "reference", "dense")]
    (name,) = runs[0].outputs
    assert all(np.array_equal(run.outputs[name], runs[0].outputs[name]) for run in runs)
    back = from_program(program)
    found = back(torch.broadcast_to(x, (4, *x.shape))).numpy().astype(np.int64)
    assert np.array_equal(found, runs[0].outputs[name].reshape(found.shape))
    with pytest.raises(ExportError, match="lif3: neurons of lif2"):  # NIR lists no synapses, and a matrix has no shape
        to_nir(back)
