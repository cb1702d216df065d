"""What a bundle refuses to be made of, and the greys of pictures."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from spikeport.autoencoder import Attention, Bottleneck, Pixels
from spikeport.errors import InputError
from tests.bundles import small_bundle

SYMMETRIC = Pixels(-255, 255, 1 / 255)


def ints(*shape: int, value: int = 1) -> np.ndarray:
    return np.full(shape, value, np.int64)


def attention(**changes: Any) -> Attention:
    given = {"weight": ints(4, 1, 3, 3), "bias": ints(1), "steps": np.ones((4, 4)), "padding": (1, 1), "form": "code"}
    return Attention(**{**given, **changes})


def test_pictures_become_the_networks_integers() -> None:
    assert SYMMETRIC.of_pictures(np.array([0, 1, 128, 255])).tolist() == [-255, -253, 1, 255]
    assert Pixels(0, 255, 1 / 255).of_pictures(np.array([7], np.uint8)).tolist() == [7]


def test_images_become_the_nearest_grey() -> None:
    """(x + 1) / 2 * 255."""
    values = np.array([-1.0, -0.999, 0.0, 1 / 255, 0.2, 1.0])
    assert SYMMETRIC.to_pictures(values).tolist() == [0, 0, 128, 128, 153, 255]
    assert SYMMETRIC.to_pictures(np.array([-1.2, 1.2])).tolist() == [0, 255]
    assert Pixels(0, 255, 1 / 255).to_pictures(np.array([0.5, 1.0])).tolist() == [128, 255]


def test_every_grey_comes_back() -> None:
    greys = np.arange(256)
    assert SYMMETRIC.to_pictures(SYMMETRIC.of_pictures(greys) / 255).tolist() == greys.tolist()


@pytest.mark.parametrize("values", [np.array([256]), np.array([-1]), np.array([0.5])])
def test_what_is_no_grey_is_refused(values: np.ndarray) -> None:
    with pytest.raises(InputError, match=r"pictures: values are not integers in \[0, 255\]"):
        SYMMETRIC.of_pictures(values)


def test_greys_that_no_integer_stands_for_are_refused() -> None:
    with pytest.raises(InputError, match="greys are no integers of the network"):
        Pixels(0, 256, 1.0).of_pictures(np.array([1]))


@pytest.mark.parametrize("told", [(3, 3, 1.0), (0.0, 1, 1.0), (0, 1 << 16, 1.0), (0, 1, 0.0), (0, 1, 1)])
def test_pixels_without_a_range_are_refused(told: Any) -> None:
    with pytest.raises(InputError, match="pixels"):
        Pixels(*told)


@pytest.mark.parametrize(
    ("weight", "bias", "what"),
    [
        (ints(2, 2), ints(3), r"weight \(int64 \(2, 2\)\) is not int64 \(3, 3\)"),
        (ints(2, 2).astype(float), ints(2), "weight"),
        (ints(2, 2), ints(2, 1), "bias"),
        (ints(2, 2, value=1 << 32), ints(2), r"sum of \|w\|"),
        (ints(2, 2), ints(2, value=-(1 << 63)), r"sum of \|w\|"),
    ],
)
def test_a_bottleneck_whose_sums_are_not_exact_is_refused(weight: Any, bias: Any, what: str) -> None:
    with pytest.raises(InputError, match=f"bottleneck: {what}"):
        Bottleneck(weight, bias)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"weight": ints(4, 1, 3)}, "weight"),
        ({"bias": ints(2)}, "bias"),
        ({"steps": np.ones((4, 3))}, "attention"),
        ({"steps": np.full((4, 4), np.nan)}, r"attention \(NaN or infinity\)"),
        ({"form": "sum"}, r"form \(sum\) is not one of code, paper"),
        ({"padding": (3, 1)}, "padding"),
        ({"padding": (1,)}, "padding"),
        ({"padding": (1.0, 1)}, "padding"),
    ],
)
def test_an_attention_that_does_not_fit_together_is_refused(changes: Any, what: str) -> None:
    with pytest.raises(InputError, match=f"taid: {what}"):
        attention(**changes)


def test_an_attention_says_what_image_it_makes() -> None:
    assert attention().image_of((4, 5, 6)) == (1, 5, 6)
    assert attention(padding=(0, 2)).image_of((4, 5, 6)) == (1, 7, 4)
    with pytest.raises(InputError, match=r"taid: spikes \(\(3, 5, 6\)\) are not \(4, h, w\)"):
        attention().image_of((3, 5, 6))
    with pytest.raises(InputError, match="leaves nothing of"):
        attention(padding=(2, 2)).image_of((4, 2, 1))
    with pytest.raises(InputError, match="sum over places"):
        attention(weight=ints(4, 1, 3, 3, value=1 << 45)).image_of((4, 9, 9))


def test_a_bundle_knows_its_sizes() -> None:
    for readout in ("membrane", "taid"):
        bundle = small_bundle(readout=readout, channels=3)
        assert (bundle.steps, bundle.latent, bundle.image_shape) == (4, 7, (3, 8, 8))
        assert list(bundle.programs) == ["encoder", "decoder"]
        assert list(replace(bundle, encoder=None).programs) == ["decoder"]


def wrong_bundles() -> list[tuple[dict[str, Any], str]]:
    whole, other = small_bundle(), small_bundle(latent=5)
    taid, three, long = small_bundle(readout="taid"), small_bundle(channels=3), small_bundle(widths=(4,))
    assert whole.encoder is not None
    entry = whole.encoder.inputs[0]
    return [
        ({"steps": 0}, "bundle: steps"),
        ({"steps": 5}, r"encoder: state cleared within a sample \(lif1\)"),
        ({"encoder": whole.decoder}, r"encoder: input \(spike \(7,\)\) is not bias \(1, 8, 8\)"),
        ({"encoder": other.encoder}, r"encoder: output \(\(5,\)\) is not \(7,\)"),
        ({"encoder": three.encoder}, r"encoder: input \(bias \(3, 8, 8\)\)"),
        ({"encoder": replace(whole.encoder, inputs=(replace(entry, low=0),))}, r"encoder: input \(\[0, 255\]\) is not"),
        ({"decoder": taid.decoder}, r"decoder: output reads \(s\) is not v"),
        ({"attention": taid.attention}, "taid: spikes"),
        ({"bottleneck": other.bottleneck}, r"bottleneck: latent neurons \(5\) are not 7"),
        ({"decoder": taid.decoder, "attention": replace(taid.attention, steps=np.ones((5, 5)))}, "taid: steps"),
        ({"pixels": Pixels(0, 255, 1.0)}, "encoder: input"),
        ({"encoder": long.encoder, "decoder": whole.encoder}, "decoder: input"),
    ]


def test_parts_that_do_not_fit_together_are_refused() -> None:
    whole = small_bundle()
    for changes, what in wrong_bundles():
        with pytest.raises(InputError, match=what):
            replace(whole, **changes)
