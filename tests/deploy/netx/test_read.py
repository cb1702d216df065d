"""`.net` files as SLAYER writes them become Programs; what is broken or ambiguous becomes one clear line."""

import io
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikeport.deploy.netx import read_netx
from spikeport.errors import DeployError, FileError, InputError, SpikeportError
from spikeport.fixed import VTH_MAX
from spikeport.program import Conv, Dense, Input
from spikeport.sim import simulate
from spikeport.sim.reference import encode
from tests.deploy.netx.netfile import LIF, conv, dense, slayer_layer, spikes, write_net

W = np.array([[2, -4, 6], [8, 10, -12]])
KERNEL = 2 * np.arange(-8, 8).reshape(2, 2, 2, 2)


@pytest.fixture
def net(tmp_path: Path) -> Path:
    return tmp_path / "model.net"


def test_a_dense_layer_keeps_its_integers(net: Path) -> None:
    program = read_netx(write_net(net, spikes(3), dense(W, bias=np.float32([5, -6]))))

    (group,), (link,) = program.groups, program.connections
    assert program.inputs == (Input("x", (3,), "spike"),)
    assert (group.name, group.shape, group.du, group.dv, group.vth) == ("fc0", (2,), 4095, 1024, 25)
    assert (group.bias_mant.tolist(), group.bias_exp, group.reset_interval) == ([5, -6], 6, 0)
    assert isinstance(link, Dense) and link.weight.tolist() == W.tolist() and (link.weight_exp, link.delay) == (0, 0)
    assert (program.latency, program.outputs[0].source) == (1, "fc0")


def test_weights_in_one_row_are_reshaped(net: Path) -> None:
    layer = slayer_layer("dense", shape=(2,), weight=W.reshape(-1))
    assert read_netx(write_net(net, layer)).connections[0].weight.tolist() == W.tolist()


def test_the_current_of_idecay_0_never_decays(net: Path) -> None:
    layer = dense(W, neuron={**LIF, "type": "CUBA", "iDecay": 0, "vDecay": 4096, "gradedSpike": False})
    group = read_netx(write_net(net, layer)).groups[0]
    assert (group.du, group.dv) == (-1, 4096)


def test_a_dense_layer_without_neurons_adds_up_and_never_fires(net: Path) -> None:
    group = read_netx(write_net(net, dense(W, neuron=None))).groups[0]
    assert (group.du, group.dv, group.vth) == (-1, 4096, VTH_MAX)


def test_a_recurrent_layer_hears_itself_one_step_later(net: Path) -> None:
    recurrent = np.array([[2, -2], [4, 0]])
    layer = slayer_layer("dense_rec", shape=(2,), weight=W, weight_rec=recurrent)

    program = read_netx(write_net(net, spikes(3), layer))

    assert [(c.source, c.target) for c in program.connections] == [("x", "fc0"), ("fc0", "fc0")]
    assert program.connections[1].weight.tolist() == recurrent.tolist()
    assert program.latency == 1


def test_a_convolution_keeps_kernel_geometry_and_axis_order(net: Path) -> None:
    layer = conv(KERNEL[..., None], (2, 3, 9), stride=(2, 1), padding=(1, 2), dilation=1, groups=1, bias=[3, -4])

    program = read_netx(write_net(net, spikes(2, 4, 6), layer))

    (link,), (group,) = program.connections, program.groups
    assert isinstance(link, Conv) and link.weight.tolist() == KERNEL.tolist()
    assert (link.stride, link.padding, link.dilation, link.groups) == ((2, 1), (1, 2), (1, 1), 1)
    assert group.name == "conv0" and group.shape == (2, 3, 9)
    assert (group.bias_mant[0] == 3).all() and (group.bias_mant[1] == -4).all()


def test_a_bias_per_neuron_is_stored_as_width_height_channel(net: Path) -> None:
    bias = np.arange(2 * 3 * 5).reshape(2, 3, 5)  # (c, h, w)
    layer = conv(KERNEL, (2, 3, 5), bias=bias.T)
    assert np.array_equal(read_netx(write_net(net, spikes(2, 4, 6), layer)).groups[0].bias_mant, bias)


def test_grouped_convolutions_are_read(net: Path) -> None:
    layer = conv(KERNEL[:, :1], (2, 3, 5), groups=2)
    assert read_netx(write_net(net, spikes(2, 4, 6), layer)).connections[0].groups == 2  # type: ignore[union-attr]


def test_flatten_reads_channel_height_width_in_c_order(net: Path) -> None:
    """One spike at (c, h, w) reaches the column that torch's flatten gives it."""
    weight = 2 * np.arange(1, 25)[None]
    program = read_netx(write_net(net, spikes(2, 3, 4), slayer_layer("flatten", shape=(1, 1, 24)), dense(weight)))
    x = np.zeros((1, 1, 2, 3, 4), np.int64)
    x[0, 0, 1, 2, 1] = 1
    trace = simulate(program, x, record=["fc0"]).traces["fc0"]
    assert trace.u[1, 0, 0] == 64 * 2 * (1 + np.ravel_multi_index((1, 2, 1), (2, 3, 4)))


@pytest.mark.parametrize(("shape", "ours"), [((2, 3, 4), (2, 3, 4)), ((5,), (1, 1, 5))])
def test_an_input_with_neurons_scales_on_the_host(net: Path, shape: tuple[int, ...], ours: tuple[int, ...]) -> None:
    weight = 2 * np.ones((2, int(np.prod(shape))))
    layers = [slayer_layer("input", shape=shape, weight=np.float32([36]), bias=np.float32([34]))]
    layers += [slayer_layer("flatten")] if len(shape) == 3 else []

    program = read_netx(write_net(net, *layers, dense(weight)), input_bits=4)

    (entry,), (encoder,) = program.inputs, program.encoders
    assert (entry.kind, entry.shape, program.groups[0].name, program.latency) == ("bias", ours, "input", 1)
    x = np.array([[-16, 0, 8, 16, 5] + [0] * (int(np.prod(ours)) - 5)])
    # 36 * x / 16 + 34, halves up
    assert encode(encoder, x, ours, ours)[0, :5].tolist() == [-2, 34, 52, 70, 45]


def test_an_input_without_a_transform_takes_lava_dls(net: Path) -> None:
    program = read_netx(write_net(net, slayer_layer("input", shape=(2, 3, 4)), conv(KERNEL, (2, 2, 3))), input_bits=0)
    x = np.full((1, 24), 3)
    assert (encode(program.encoders[0], x, (2, 3, 4), (2, 3, 4)) == 64 * 3).all()


@pytest.mark.parametrize("weight", [40, -40, 1, 255])
def test_every_input_in_range_is_a_mantissa(net: Path, weight: int) -> None:
    first = slayer_layer("input", shape=(1, 2, 2), weight=[weight], bias=[-7])
    program = read_netx(write_net(net, first, conv(KERNEL[:, :1], (2, 1, 1))))
    entry = program.inputs[0]
    for x in (entry.low, entry.high):
        encode(program.encoders[0], np.full((1, 4), x), entry.shape, entry.shape)  # raises if it leaves 13 bits


@pytest.mark.parametrize(
    ("weight", "mantissas", "exp"),
    [
        ([[3, 255]], [[3, 255]], 0),
        ([[-255, 0]], [[-255, 0]], 0),
        ([[-256, -2]], [[-128, -1]], 1),
        ([[-3, 5]], [[-6, 10]], -1),
        ([[0, 0]], [[0, 0]], 0),
    ],
)
def test_weights_are_what_the_file_says_and_not_what_lava_dl_makes_of_them(
    net: Path, weight: Any, mantissas: Any, exp: int
) -> None:
    link = read_netx(write_net(net, dense(weight))).connections[0]
    assert (link.weight.tolist(), link.weight_exp) == (mantissas, exp)


@pytest.mark.parametrize(
    ("delay", "matrix"),
    [
        (3, 3),
        ([1, 2], [[1, 1, 1], [2, 2, 2]]),  # of this layer's outputs, moved to its synapses
        ([1, 2, 3], [[1, 2, 3], [1, 2, 3]]),  # of its inputs
        ([[1, 2, 3], [4, 5, 6]], [[1, 2, 3], [4, 5, 6]]),
        ([62.0, 62.0], 62),
        ([0.0, 0.0], 0),
    ],
)
def test_delays_become_delays_of_synapses(net: Path, delay: Any, matrix: Any) -> None:
    link = read_netx(write_net(net, dense(W, delay=np.asarray(delay)))).connections[0]
    assert np.asarray(link.delay).tolist() == matrix


def test_a_delay_that_fits_both_ways_is_the_outputs_as_slayer_writes_it(net: Path) -> None:
    link = read_netx(write_net(net, dense(W[:, :2], delay=[7, 9]))).connections[0]
    assert np.asarray(link.delay).tolist() == [[7, 7], [9, 9]]


@pytest.mark.parametrize("first", [spikes(3), slayer_layer("input", shape=(3,))])
def test_layer_k_is_cleared_k_steps_after_the_first(net: Path, first: dict[str, Any]) -> None:
    program = read_netx(write_net(net, first, dense(W), dense(W.T)), reset_interval=4, reset_offset=1)
    assert [g.reset_offset for g in program.groups] == [(2 + k) % 4 for k in range(len(program.groups))]
    assert {g.reset_interval for g in program.groups} == {4}


def test_a_trailing_average_is_a_vote(net: Path) -> None:
    path = write_net(net, dense(W), slayer_layer("average", shape=(2, 1, 1)))
    assert read_netx(path).outputs[0].classes == 2
    assert read_netx(path, num_layers=1).outputs[0].classes == 0


def test_leading_layers_can_be_left_out(net: Path) -> None:
    path = write_net(net, slayer_layer("input", shape=(3,)), dense(W), dense(W.T))
    program = read_netx(path, skip_layers=2, reset_interval=8)
    assert program.inputs[0].shape == (2,) and program.inputs[0].kind == "spike"
    assert [g.name for g in program.groups] == ["fc0"] and program.groups[0].reset_offset == 1


def test_a_convolution_without_an_input_layer_needs_a_shape(net: Path) -> None:
    path = write_net(net, conv(KERNEL, (2, 3, 5)))
    assert read_netx(path, input_shape=(2, 4, 6)).inputs[0].shape == (2, 4, 6)
    with pytest.raises(DeployError, match=r"layer 0: input shape of the convolution is not in the file; say it with"):
        read_netx(path)


def test_an_open_file_is_read(net: Path) -> None:
    data = io.BytesIO(write_net(net, dense(W)).read_bytes())
    assert read_netx(data).groups[0].shape == (2,)


FLAT = slayer_layer("flatten")
REFUSED = [
    ([slayer_layer("pool", shape=(1,))], "layer 0 (pool): layer type (pool) is not one of input, dense,"),
    ([slayer_layer("convT", shape=(1,))], "replace it by a convolution before export"),
    ([dense(W), slayer_layer("average", shape=(2,)), dense(W.T)], "layer 2: layer after an average is not supported"),
    ([dense(W, neuron={**LIF, "type": "ALIF"})], "neuron: type (ALIF) is not one of LOIHI, CUBA, SDNN, RF_PHASE, RF_"),
    ([dense(W, neuron={**LIF, "type": "ADRF_PHASE"})], "lava-dl would read it as RF_PHASE, without adaptation; train"),
    ([dense(W, neuron={**LIF, "refDelay": 3})], "refDelay (3) is not 1; lava-dl ignores it"),
    ([dense(W, neuron={**LIF, "gradedSpike": True})], "gradedSpike (1) is not 0"),
    ([dense(W, neuron={**LIF, "weight_exp": 2})], "weight_exp (2) is not 0; lava-dl ignores it; train with MeanOnly"),
    ([dense([[300, 2]])], "weight (300) is not in [-256, 255]; lava-dl would clip it or make all weights 0"),
    ([dense([[-201, 200]])], "weights (-201 to 200) do not fit 8 bits: even if their signs differ, or within 255"),
    ([dense([[-256, -3]])], "weights (-256 to -3) do not fit 8 bits"),
    ([spikes(1, 1, 2), conv([[[[-3, 5]]]], (1, 1, 1))], "weights (-3 to 5) do not fit 8 bits"),
    ([dense(W, delay=[1, 63])], "delay (63) is not in [0, 62]; lava-dl would clip it"),
    ([dense(W, delay=[0, -1])], "delay (-1) is not in [0, 62]"),
    ([dense(W, delay=[1, 2], bias=[0, 3])], "delay of the output of neurons with a bias cannot be moved; lava-dl"),
    (
        [spikes(2, 4, 6), conv(KERNEL, (2, 3, 5), delay=[1, 0])],
        "delay of a convolution is not supported; lava-dl ignores",
    ),
    (
        [{**dense(W), "type": "dense_rec", "weight_rec": 2 * np.eye(2), "delay": 1}],
        "delays of a recurrent layer have no",
    ),
    (
        [{**dense(W), "weight": {"real": W, "imag": W}}],
        "layer 0 (dense): neurons of complex weights are not RF_PHASE or RF_IZHIKEVICH",
    ),
    ([spikes(2, 4, 6), conv(KERNEL, (2, 3, 5)), dense(np.ones((2, 30)))], "(2, 3, 5)) is ambiguous; put a flatten"),
    ([slayer_layer("input", shape=(2,), weight=[0])], "'weight' of the input (0) does not fit 8 bits"),
    (
        [slayer_layer("input", shape=(2,), bias=[10**7])],
        "bias mantissas of the input (weight 64, bias 10000000) are not",
    ),
    ([spikes(3)], "layers with neurons (0) are not above 0"),
]


@pytest.mark.parametrize(("layers", "words"), REFUSED, ids=[words[:40] for _, words in REFUSED])
def test_what_no_program_can_hold_is_refused_with_the_reason(net: Path, layers: Any, words: str) -> None:
    with pytest.raises(DeployError) as refused:
        read_netx(write_net(net, *layers))
    assert words in str(refused.value) and str(refused.value).startswith(f"{net}")


BROKEN = [
    ([dense(W, shape=(3,))], "layer 0 (dense): 'weight' shape ((2, 3)) is not (3, n_source)"),
    ([dense(W), dense(W)], "layer 1: columns of 'weight' (3) are not 2, the neurons of (2,)"),
    ([{**dense(W), "weight": W + 0.5}], "'weight' (fractions) is not an array of integers; export it again with"),
    ([{**dense(W), "weight": W + np.nan}], "'weight' (fractions) is not"),
    ([{**dense(W), "weight": np.zeros((2, 0))}], "'weight' shape ((2, 0)) is not"),
    ([dense(W, bias=[1, 2, 3])], "'bias' shape ((3,)) is not (2,)"),
    ([dense(W, bias=[1, 5000])], "holds no valid layer: fc0: bias_mant (5000) is not in [-4096, 4095]"),
    ([dense(W, delay=[1, 2, 3, 4])], "'delay' shape ((4,)) is not (2,) or (2, 3)"),
    ([dense(W, neuron={**LIF, "vDecay": 5000})], "holds no valid layer: fc0: dv (5000) is not in [0, 4096]"),
    ([dense(W, neuron={**LIF, "vThMant": [20, 30]})], "'vThMant' (20 to 30) is not one value for the whole layer"),
    ([dense(W, neuron={"type": "LOIHI"})], "neuron: data set 'iDecay' is not in the file"),
    ([slayer_layer("dense", shape=(2,))], "layer 0 (dense): data set 'weight' is not in the file"),
    ([{"weight": W}], "layer 0: data set 'type' is not in the file"),
    ([slayer_layer("dense", shape=(0,), weight=W)], "'shape' ([0]) is not one to three positive sizes"),
    ([slayer_layer("dense", shape=(2**20, 2**20), weight=W)], "'shape' ([1048576, 1048576]) is not"),
    ([{**dense(W), "type": "dense_rec", "weight_rec": W}], "'weight_rec' shape ((2, 3)) is not (2, 2)"),
    ([{**dense(W), "type": "dense_rec"}], "data set 'weight_rec' is not in the file"),
    ([spikes(2, 4, 6), conv(KERNEL, (2, 3, 4))], "'shape' of the convolution ((2, 3, 4)) is not (2, 3, 5)"),
    ([spikes(2, 4, 6), conv(KERNEL[0], (2, 3, 5))], "'weight' shape ((2, 2, 2) for (2, 3, 5)) is not (c_out, c_in"),
    ([spikes(2, 4, 6), conv(KERNEL, (2, 3, 5), stride=(1, 1, 1))], "'stride' ([1, 1, 1]) is not one number or two"),
    ([spikes(2, 4, 6), conv(KERNEL, (2, 3, 5), stride=(0, 1))], "stride (0) is not in [1, 32767]"),
    ([spikes(2, 4, 6), FLAT, conv(KERNEL, (2, 3, 5))], "convolution after a flatten layer has no channels to read"),
    ([dense(W), spikes(3)], "layer 1: input layer is not the first"),
    (
        [dense(W), slayer_layer("average", shape=(3,))],
        "holds no valid network: y: neurons (2) do not divide by classes 3",
    ),
]


@pytest.mark.parametrize(("layers", "words"), BROKEN, ids=[words[:40] for _, words in BROKEN])
def test_a_file_that_contradicts_itself_is_refused_in_one_line(net: Path, layers: Any, words: str) -> None:
    with pytest.raises(FileError) as refused:
        read_netx(write_net(net, *layers))
    assert words in str(refused.value) and "\n" not in str(refused.value)


def test_files_of_another_kind_are_refused(net: Path) -> None:
    with pytest.raises(FileError, match="no such file"):
        read_netx(net)
    net.write_bytes(b"no HDF5")
    with pytest.raises(FileError, match="is not a readable netx file"):
        read_netx(net)
    with h5py.File(net, "w") as file:
        file["weights"] = 1
    with pytest.raises(FileError, match="group 'layer' is not in the file"):
        read_netx(net)
    with h5py.File(net, "w") as file:
        file["layer/1/type"] = "dense"
    with pytest.raises(FileError, match="group '0' is not in the file"):
        read_netx(net)


def test_links_to_other_files_are_not_followed(net: Path, tmp_path: Path) -> None:
    write_net(tmp_path / "other.net", dense(W))
    with h5py.File(net, "w") as file:
        file["layer/0"] = h5py.ExternalLink("other.net", "/layer/0")
    with pytest.raises(FileError, match="group '0' is not in the file"):
        read_netx(net)


def test_a_forged_size_is_refused_before_memory_is_taken(net: Path) -> None:
    with h5py.File(write_net(net, dense(W)), "a") as file:
        del file["layer/0/weight"]
        file.create_dataset("layer/0/weight", (2**40,), "i8", chunks=(1024,), compression="gzip")
    with pytest.raises(FileError, match="is not an array that this file can hold"):
        read_netx(net)


@pytest.mark.parametrize(
    "argument",
    [{"reset_interval": -1}, {"reset_offset": -1}, {"input_bits": 16}, {"num_layers": 0}, {"skip_layers": -1}],
)
def test_arguments_out_of_range_are_refused(net: Path, argument: dict[str, int]) -> None:
    with pytest.raises(InputError, match=f"{next(iter(argument))}: value .* is not in"):
        read_netx(write_net(net, dense(W)), **argument)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("netx") / "whole.net"
    first = slayer_layer("input", shape=(2, 4, 6))
    return write_net(path, first, conv(KERNEL, (2, 3, 5)), FLAT, dense(2 * np.ones((2, 30)), delay=[1, 2])).read_bytes()


def test_every_truncation_is_refused(whole: bytes) -> None:
    for length in range(0, len(whole) - 1, 101):
        with pytest.raises(FileError):
            read_netx(io.BytesIO(whole[:length]))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_damaged_file_is_read_or_refused_on_purpose(whole: bytes, seed: int) -> None:
    rng = np.random.default_rng(seed)
    damaged = bytearray(whole)
    for _ in range(rng.integers(1, 4)):
        damaged[rng.integers(len(whole))] ^= 1 << int(rng.integers(8))
    try:
        read_netx(io.BytesIO(bytes(damaged)))
    except SpikeportError as error:
        assert "\n" not in str(error)
