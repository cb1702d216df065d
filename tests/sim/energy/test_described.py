"""Shapes against torch, and what the reader refuses."""

from fractions import Fraction
from pathlib import Path

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from spikeport.errors import FileError, InputError
from spikeport.sim.energy.described import Described, described_named, described_names, parse_described, read_described
from spikeport.sim.energy.shapes import Conv, ConvTranspose, Linear
from spikeport.sim.energy.toml_section import MAX_BYTES

NET = """
[network]
name = "two layers"
steps = 4
input = "still"

[[layer]]
name = "conv1"
kind = "conv"
in = [3, 32, 32]
out_channels = 64
kernel = [3, 5]
padding = 1
fed = "analog"

[[layer]]
name = "bn1"
kind = "batch_norm"
shape = [64, 32, 30]

[[layer]]
name = "fc"
kind = "linear"
in_features = 61440
out_features = 10
bias = true
fed = "spikes"
rate = 0.12
sops = 1000.5
"""


def test_what_a_description_holds(tmp_path: Path) -> None:
    (tmp_path / "net.toml").write_text(NET)
    net = read_described(tmp_path / "net.toml")
    conv, bn, fc = net.facts
    assert (net.name, net.steps, net.still, len(net.sha256)) == ("two layers", 4, True, 64)
    assert (conv.kind, conv.fed, conv.passes, conv.slots, conv.outputs) == ("conv", "analog", 1, 0, 64 * 32 * 30)
    assert (conv.macs_dense, conv.bias, conv.rate) == (64 * 32 * 30 * 3 * 15, False, None)
    assert (bn.kind, bn.elements) == ("batch_norm", 61440)
    assert (fc.kind, fc.slots, fc.outputs, fc.bias, fc.passes) == ("linear", 61440, 10, True, 4)
    assert (fc.rate, fc.sops) == (Fraction(3, 25), Fraction(2001, 2))  # the decimals as written
    assert net.macs_dense == conv.macs_dense + 614_400
    assert net == described_named(str(tmp_path / "net.toml"))


def test_a_moving_input_is_the_default() -> None:
    assert parse_described("net", NET.replace('input = "still"', "").encode()).facts[0].passes == 4


pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))
paddings = st.tuples(st.integers(0, 2), st.integers(0, 2))


@given(st.integers(1, 2), st.tuples(st.integers(1, 7), st.integers(1, 7)), pairs, pairs, paddings, pairs, st.booleans())
def test_sizes_and_macs_of_convolutions(
    groups: int,
    size: tuple[int, int],
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
    transposed: bool,
) -> None:
    """Ones through weights of one sum up to the products that do not fall on padding."""
    c_in, c_out = 2 * groups, 3 * groups
    run = functional.conv_transpose2d if transposed else functional.conv2d
    weight = torch.ones((c_in, 3, *kernel) if transposed else (c_out, 2, *kernel), dtype=torch.float64)
    x = torch.ones(1, c_in, *size, dtype=torch.float64)
    try:
        with FlopCounterMode(display=False) as counter:
            y = run(x, weight, stride=stride, padding=padding, dilation=dilation, groups=groups)
    except RuntimeError:  # torch refuses an output without places
        assume(False)
    kind = ConvTranspose if transposed else Conv
    layer = kind(
        name="c", shape=(c_in, *size), out_channels=c_out, kernel=kernel, stride=stride, padding=padding,
        dilation=dilation, groups=groups, fed="spikes",
    )  # fmt: skip
    assert layer.output == tuple(y.shape[1:])
    assert layer.macs_valid == int(y.sum())
    assert 2 * layer.macs_dense == counter.get_total_flops()
    assert layer.macs_by_output == y.numel() * 2 * kernel[0] * kernel[1]


def test_output_padding_adds_places() -> None:
    layer = ConvTranspose(
        name="c", shape=(4, 2, 2), out_channels=4, kernel=(3, 3), stride=(2, 2), padding=(1, 1),
        output_padding=(1, 0), fed="spikes",
    )  # fmt: skip
    assert layer.output == (4, 4, 3)


REFUSED = [
    ('kind = "conv"', 'kind = "conv3d"', r"layer\[1\].kind \('conv3d'\) is not one of conv, conv_transpose, linear"),
    ('kind = "conv"\n', "", r"layer\[1\].kind is missing"),
    ("kernel = [3, 5]", "", r"layer\[1\].kernel is missing"),
    ("kernel = [3, 5]", "kernel = [3, 5, 5]", r"layer\[1\].kernel \(\[3, 5, 5\]\) is not an integer from 1"),
    ("kernel = [3, 5]", "kernel = 0", r"layer\[1\].kernel \(0\) is not an integer from 1 to"),
    ("kernel = [3, 5]", "kernel = 3.0", r"layer\[1\].kernel \(3.0\) is not an integer"),
    ("kernel = [3, 5]", "kernel = true", r"layer\[1\].kernel \(True\) is not an integer"),
    ("kernel = [3, 5]", "kernel = 40", r"layer conv1: output \(\(64, -5, -5\)\) is empty"),
    ("padding = 1", "padding = -1", r"layer\[1\].padding \(-1\) is not an integer from 0"),
    ("padding = 1", "pad = 1", r"unknown key in layer\[1\] \('pad'\) is not one of kind, name, fed, bias"),
    ("padding = 1", "groups = 2", r"layer conv1: input channels \(3\) is not a multiple of groups 2"),
    ("padding = 1", "groups = 3", r"layer conv1: out_channels \(64\) is not a multiple of groups 3"),
    ("padding = 1", "rate = 0.5", r"layer conv1: rate or sops \(1/2\) is given to a layer that is fed by analog"),
    ("in = [3, 32, 32]", "in = [3, 32]", r"layer\[1\].in \(\[3, 32\]\) is not \[channels, height, width\]"),
    ("in = [3, 32, 32]", "in = 3", r"layer\[1\].in \(3\) is not a list of one to four sizes"),
    ("in = [3, 32, 32]", "in = [3, 32, 99999999]", r"layer\[1\].in .* is not a list of one to four sizes"),
    ('fed = "analog"', 'fed = "numbers"', r"layer\[1\].fed \('numbers'\) is not one of analog, spikes, graded"),
    ("shape = [64, 32, 30]", "elements = 4", r"unknown key in layer\[2\] \('elements'\)"),
    ('name = "bn1"', "", r"layer\[2\].name is missing"),
    ('name = "bn1"', 'name = "fc"', r"layer name \(fc\) is that of two layers"),
    ("bias = true", "bias = 1", r"layer\[3\].bias \(1\) is not true or false"),
    ("rate = 0.12", "rate = 1.5", r"layer\[3\].rate \(1.5\) is not a number from 0 to 1"),
    ("rate = 0.12", "rate = nan", r"layer\[3\].rate \(nan\) is not a number from 0 to 1"),
    ("sops = 1000.5", "sops = inf", r"layer\[3\].sops \(inf\) is not a number from 0 to"),
    ("sops = 1000.5", "sops = 2457601", r"layer fc: sops \(2457601.0\) exceeds its synapses x steps 2457600"),
    ("steps = 4", "", r"network.steps is missing"),
    ("steps = 4", "steps = 0", r"network.steps \(0\) is not an integer from 1"),
    ("steps = 4", "step = 4\nsteps = 4", r"unknown key in network \('step'\) is not"),
    ('"still"', '"fixed"', r"network.input \('fixed'\) is not one of still, moving"),
    ("[network]", "[net]", r"unknown key \('net'\)"),
    ("[network]", "network = 1\n[net]", r"unknown key \('net'\)"),
    (NET, "network = 1\nlayer = 1", r"network \(1\) is not a table"),
    (NET, "layer = []\n[network]\nname = 'n'\nsteps = 1", r"layer .*has no tables"),
    (NET, "layer = [1]\n[network]", r"layer .* is not an array of tables"),
    (NET, "a = [", r"is not TOML"),
    (NET, "a = " + "[" * 10_000, r"is not TOML"),
    (NET, "a = " + "1" * 10_000, r"is not TOML"),
    (NET, "a = " + "[" * 400 + "]" * 400, r"unknown key"),
    ("steps = 4", "steps = " + "[" * 200 + "]" * 200, r"network.steps is not an integer"),
    ("steps = 4", "steps = " + "9" * 4000, r"network.steps \(an integer of 13288 bits\) is not an integer"),
    ("two layers", r"\u001b[31mred", r"network.name \('\\x1b\[31mred'\) is not printable text"),
    ('name = "fc"', r'name = "\u0007"', r"layer\[3\].name \('\\x07'\) is not printable text"),
]


@pytest.mark.parametrize(("good", "bad", "message"), REFUSED)
def test_refused_in_one_line_with_its_place(tmp_path: Path, good: str, bad: str, message: str) -> None:
    assert good in NET
    path = tmp_path / "net.toml"
    path.write_text(NET.replace(good, bad, 1))
    with pytest.raises(FileError, match=message) as error:
        read_described(path)
    assert str(error.value).startswith(str(path)) and "\n" not in str(error.value)


def test_files_that_are_not_there_or_not_text(tmp_path: Path) -> None:
    (tmp_path / "net.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(FileError, match="is not TOML"):
        read_described(tmp_path / "net.toml")
    with pytest.raises(FileError, match="is not a file"):
        read_described(tmp_path)
    (tmp_path / "net.toml").write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(FileError, match="size exceeds"):
        read_described(tmp_path / "net.toml")
    with pytest.raises(FileError, match="no such description of a network; name a TOML file, or one of .*dalif-cifar"):
        described_named("dalif-cifar1000")


def test_more_operations_than_there_are() -> None:
    fc = Linear(name="fc", in_features=3, out_features=2, fed="spikes", sops=Fraction(13))
    with pytest.raises(InputError, match="layer fc: sops"):
        Described("net", 2, True, (fc,))


@pytest.mark.parametrize("name", described_names())
def test_shipped_networks_lead_from_layer_to_layer(name: str) -> None:
    """What a layer takes in is what one before it gave; neurons and norms have the size of the layer before."""
    image, sizes = None, set()
    for layer, facts in zip(described_named(name).layers, described_named(name).facts, strict=True):
        if isinstance(layer, Conv):
            assert not sizes or layer.shape in sizes
            image = layer.output
            sizes.add(image)
        elif facts.kind == "pool":
            half = (layer.shape[0], layer.shape[1] // 2, layer.shape[2] // 2)
            assert layer.shape in sizes
            sizes.add(half)
        elif facts.kind in ("neurons", "batch_norm"):
            assert layer.shape == image
