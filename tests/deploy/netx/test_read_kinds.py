"""Sigma-delta and resonate-and-fire `.net` files as SLAYER writes them become Programs; the rest is refused."""

import math
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from spikeport.deploy.netx import read_netx
from spikeport.deploy.netx.file import write_layers
from spikeport.deploy.netx.layers import DenseLayer, ResonatorNeuron
from spikeport.errors import DeployError, FileError, InputError
from spikeport.program import Input, Resonator, SigmaDelta
from tests.deploy.netx.netfile import RF, SDNN, conv, dense, slayer_layer, spikes, write_net

W = np.array([[2, -4, 6], [8, 10, -12]])
KERNEL = 2 * np.arange(-8, 8).reshape(2, 2, 2, 2)
OUTPUT = {**SDNN, "sigma_output": True}
COMPLEX = {"real": np.float32(W), "imag": np.float32(-3 * W)}
flatten = slayer_layer("flatten")


@pytest.fixture
def net(tmp_path: Path) -> Path:
    return tmp_path / "model.net"


def test_a_sigma_delta_network_keeps_its_integers(net: Path) -> None:
    first, kernel = (
        slayer_layer("input", shape=(2, 4, 6), neuron=SDNN),
        conv(KERNEL, (2, 3, 5), bias=[5, -6], neuron=SDNN),
    )
    last = dense(2 * np.ones((4, 30)), neuron=OUTPUT)

    program = read_netx(write_net(net, first, kernel, flatten, last), spike_exp=4)

    assert program.inputs == (Input("x", (2, 4, 6), "graded", -(2**13 - 1), 2**13 - 1),)
    delta, middle, sigma = program.groups
    assert isinstance(delta, SigmaDelta) and isinstance(middle, SigmaDelta) and isinstance(sigma, SigmaDelta)
    assert (delta.name, delta.stage, delta.vth, delta.spike_exp, delta.state_exp) == ("input", "delta", 3, 4, 6)
    assert (middle.stage, middle.vth, middle.activation, middle.cum_error) == ("sigma_delta", 3, "relu", False)
    assert isinstance(middle.bias, np.ndarray) and (middle.bias[0] == 5).all() and (middle.bias[1] == -6).all()
    assert (sigma.stage, sigma.vth, sigma.shape) == ("sigma", 0, (4,))
    assert all(c.graded and c.port == "a" for c in program.connections)
    assert program.latency == 3


def test_payloads_count_where_lava_dl_counts_them(net: Path) -> None:
    """Behind CUBA neurons and spikes they do not; behind SDNN neurons they do, also if those were left out."""
    first, middle, last = dense(W, neuron=SDNN), dense(W.T), dense(W, neuron=SDNN)
    path = write_net(net, spikes(3), first, middle, last)
    assert [c.graded for c in read_netx(path).connections] == [False, True, False]
    assert [c.graded for c in read_netx(path, input_message_bits=8).connections] == [True, True, False]
    assert read_netx(path, input_message_bits=8).inputs[0] == Input("x", (3,), "graded", -255, 255)
    behind = read_netx(path, skip_layers=2)
    assert [c.graded for c in behind.connections] == [True, False]
    assert behind.inputs[0] == Input("x", (2,), "graded", -65535, 65535)


@pytest.mark.parametrize(("kind", "ours"), [("RF_PHASE", "rf"), ("RF_IZHIKEVICH", "rf_izhikevich")])
def test_resonators_keep_their_integers_and_both_weights(net: Path, kind: str, ours: str) -> None:
    program = read_netx(write_net(net, {**dense(W, neuron={**RF, "type": kind}), "weight": COMPLEX}))

    (group,) = program.groups
    assert isinstance(group, Resonator) and (group.kind, group.vth) == (ours, 30)
    assert (group.sin_decay, group.cos_decay, group.state_exp, group.decay_bits) == (2000, 3000, 6, 12)
    assert [(c.port, c.graded) for c in program.connections] == [("re", False), ("im", False)]
    assert [c.weight.tolist() for c in program.connections] == [W.tolist(), (-3 * W).tolist()]
    assert program.latency == 1


@pytest.mark.parametrize(("written", "cut"), [(2000.5, 2000), (-2000.5, -2000), (-0.5, 0), (0.5, 0), (7, 7)])
def test_decays_are_cut_toward_zero_as_lava_dl_cuts_them(net: Path, written: float, cut: int) -> None:
    layer = {**dense(W, neuron={**RF, "sinDecay": written}), "weight": COMPLEX}
    assert read_netx(write_net(net, layer)).groups[0].sin_decay == cut  # type: ignore[union-attr]


@pytest.mark.parametrize(("sin_decay", "cos_decay"), [(0, 4096), (-4096, 0), (0, 0), (2896, 2896), (1, -1), (-7, 4000)])
def test_written_decays_survive_the_way_through_angle_and_radius(sin_decay: int, cos_decay: int, net: Path) -> None:
    """lava-dl's way (`neuron_params`, then `RF`), computed here with Python's own floats."""
    layer = DenseLayer(W, np.zeros(2, np.int64), ResonatorNeuron("rf", 30, sin_decay, cos_decay), weight_imag=W)
    write_layers([layer], net)
    with h5py.File(net) as file:
        s, c = (file[f"layer/0/neuron/{name}"][()] / 4096 for name in ("sinDecay", "cosDecay"))
    alpha, period = 1 - math.sqrt(s * s + c * c), 1 / (math.atan2(s, c) / 2 / math.pi)
    found = [int((1 - alpha) * f(math.pi * 2 / period) * 4096) for f in (math.sin, math.cos)]
    assert found == [sin_decay, cos_decay]


RF_LAYER = {**dense(W, neuron=RF), "weight": COMPLEX}
REFUSED: list[tuple[list[dict[str, Any]], str]] = [
    (
        [dense(W, neuron={**SDNN, "activation": "tanh"})],
        "activation (tanh) is not relu; lava-dl would run relu",
    ),
    ([dense(W, neuron={**SDNN, "sigma_output": False})], "sigma_output (False) is not True; lava-dl asks only whether"),
    ([dense(W, neuron={**SDNN, "messageBits": 24})], "messageBits (24) is not 16; lava-dl cannot read it"),
    ([dense(W, neuron=OUTPUT, bias=[1, 0])], "bias of a layer with sigma_output is not supported; lava-dl stops there"),
    (
        [slayer_layer("input", shape=(3,), neuron=OUTPUT)],
        "sigma_output of an input is not supported; lava-dl ignores it",
    ),
    (
        [slayer_layer("input", shape=(3,), neuron=SDNN, weight=[36], bias=[34])],
        "transform of an SDNN input (weight 36, bias 34) is not weight 64, bias 0; lava-dl leaves it to its user",
    ),
    (
        [{**dense(W, neuron=SDNN), "type": "dense_rec", "weight_rec": 2 * np.eye(2)}],
        "SDNN in a recurrent layer is not supported; SLAYER has no such layer, and lava-dl may drop the payloads",
    ),
    ([dense(W, neuron=RF)], "real weights of RF neurons are not supported; lava-dl stops there; these neurons take"),
    ([{**RF_LAYER, "bias": [0, 1]}], "bias of RF neurons is not supported; lava-dl ignores it and says nothing"),
    ([{**RF_LAYER, "delay": [0, 1]}], "delay of RF neurons is not supported; lava-dl ignores it and says nothing"),
    ([{**RF_LAYER, "type": "dense_rec", "weight_rec": W}], "RF_PHASE in a layer of type dense_rec is not supported"),
    (
        [slayer_layer("input", shape=(3,), neuron=RF)],
        "RF_PHASE in a layer of type input is not supported; lava-dl",
    ),
    ([spikes(2, 4, 6), conv(KERNEL, (2, 3, 5), neuron=RF)], "RF_PHASE in a layer of type conv is not supported"),
]


@pytest.mark.parametrize(("layers", "words"), REFUSED, ids=[words[:40] for _, words in REFUSED])
def test_what_lava_dl_would_misread_is_refused(net: Path, layers: list[dict[str, Any]], words: str) -> None:
    with pytest.raises(DeployError) as refused:
        read_netx(write_net(net, *layers))
    assert words in str(refused.value) and str(refused.value).startswith(f"{net}: layer ")


@pytest.mark.parametrize("layer", [dense(W, neuron=SDNN), RF_LAYER])
def test_a_reset_that_lava_dl_would_ignore_is_refused(net: Path, layer: dict[str, Any]) -> None:
    with pytest.raises(DeployError, match=r"layer 0: reset_interval \(8\) is not 0; lava-dl ignores it at SDNN and RF"):
        read_netx(write_net(net, layer), reset_interval=8)


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (dense(W, neuron=SDNN, bias=[0, 3000]), "holds no valid layer: fc0: bias (3000) is not in [-2047, 2047]"),
        (
            {**dense(W, neuron={**RF, "sinDecay": 5000.5}), "weight": COMPLEX},
            "sin_decay (5000) is not in [-4096",
        ),
        ({**RF_LAYER, "weight": {"real": W, "imag": W[:, :2]}}, "weight: 'imag' shape ((2, 2)) is not (2, 3)"),
        ({**RF_LAYER, "weight": {"real": W}}, "weight: data set 'imag' is not in the file"),
        ({**dense(W, neuron={**RF, "cosDecay": np.nan}), "weight": COMPLEX}, "'cosDecay' (fractions) is not an array"),
        ({**dense(W, neuron={**RF, "cosDecay": [1, 2]}), "weight": COMPLEX}, "'cosDecay' (1 to 2) is not one value"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused(net: Path, layer: dict[str, Any], words: str) -> None:
    with pytest.raises(FileError) as refused:
        read_netx(write_net(net, layer))
    assert words in str(refused.value)


@pytest.mark.parametrize("argument", [{"spike_exp": 8}, {"spike_exp": -1}, {"input_message_bits": 25}])
def test_arguments_out_of_range_are_refused(net: Path, argument: dict[str, int]) -> None:
    with pytest.raises(InputError, match=f"{next(iter(argument))}: value .* is not in"):
        read_netx(write_net(net, dense(W)), **argument)  # type: ignore[arg-type]
