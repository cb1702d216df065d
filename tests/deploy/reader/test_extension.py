"""ConvTranspose2d and Unflatten, which NIR does not have: read from files and objects, and refused where wrong."""

from pathlib import Path
from typing import Any

import nir
import numpy as np
import pytest

from spikeport.deploy.nodes import ConvTranspose2d, Unflatten
from spikeport.deploy.read import from_nir, read_nir
from spikeport.errors import DeployError
from spikeport.export.extension import ConvTranspose2d as NirConvTranspose2d
from spikeport.export.extension import Unflatten as NirUnflatten


def decoder(**options: Any) -> nir.NIRGraph:
    """8 values as (2, 2, 2), spread over (4, 4, 5)."""
    fields = {
        "weight": np.arange(2 * 2 * 2 * 3, dtype=np.float32).reshape(2, 2, 2, 3),
        "bias": np.arange(4, dtype=np.float32),
        "stride": (2, 2),
        "padding": (0, 0),
        "output_padding": (0, 0),
        "dilation": (1, 1),
        "groups": 2,
    }
    shape = options.pop("shape", (2, 2, 2))
    nodes = {
        "input": nir.Input(np.array([8])),
        "image": NirUnflatten(np.array(shape)),
        "spread": NirConvTranspose2d(**{**fields, **options}),
        "or": nir.Threshold(np.full((4, 4, 5), 0.5)),
        "output": nir.Output(np.array([4, 4, 5])),
    }
    names = list(nodes)
    return nir.NIRGraph(nodes, list(zip(names[:-1], names[1:], strict=True)), type_check=False)


def test_files_and_objects_are_read_alike(tmp_path: Path) -> None:
    nir.write(str(tmp_path / "net.nir"), decoder())
    for graph in (from_nir(decoder()), read_nir(tmp_path / "net.nir")):
        image, spread = graph.nodes["image"], graph.nodes["spread"]
        assert isinstance(image, Unflatten) and image.shape == (2, 2, 2)
        assert isinstance(spread, ConvTranspose2d) and spread.weight.shape == (2, 2, 2, 3)
        assert (spread.stride, spread.padding, spread.output_padding, spread.dilation) == (
            (2, 2),
            (0, 0),
            (0, 0),
            (1, 1),
        )
        assert spread.groups == 2 and spread.bias.tolist() == [0, 1, 2, 3]
        assert graph.shapes()["spread"] == (4, 4, 5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"output_padding": (2, 0)},
            "spread: convolution (stride (2, 2), padding (0, 0), output_padding (2, 0), dilation (1, 1), groups 2) "
            "is not a valid geometry",
        ),
        (
            {"groups": 3},
            "spread: convolution (stride (2, 2), padding (0, 0), output_padding (0, 0), dilation (1, 1), groups 3) "
            "is not a valid geometry",
        ),
        ({"bias": np.zeros(2)}, "spread: bias shape ((2,)) is not (4,)"),
        ({"padding": (2, 0)}, "spread: padding ((2, 0)) leaves nothing of the output for (2, 2, 2)"),
        ({"weight": np.zeros((4, 1, 2, 3)), "bias": np.zeros(2)}, "spread: input shape ((2, 2, 2)) is not (4, h, w)"),
        ({"shape": (2, 2, 3)}, "image: shape ((2, 2, 3)) does not hold as many values as its input (8,)"),
        ({"shape": (-2, 2, 2)}, "image: shape ([-2, 2, 2]) is not positive sizes"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused_by_name(options: dict[str, Any], message: str) -> None:
    with pytest.raises(DeployError) as caught:
        from_nir(decoder(**options))
    assert str(caught.value) == message
