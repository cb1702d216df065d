"""The executable specification against values worked out by hand and against torch's and scipy's correlations."""

from typing import Any

import numpy as np
import pytest
from scipy.signal import correlate2d

from spikeport.errors import OverflowDetected
from spikeport.program import LIF, Connection, Conv, Dense, Encoder, Input, Output, Program, Sparse
from spikeport.sim import Trace, reference, simulate
from spikeport.sim.random_programs import random_conv, random_shape


def neuron(name: str = "g", **changes: Any) -> LIF:
    """Forgets u and v each step, so v is what arrived; never spikes."""
    values = {"shape": (1,), "du": 4095, "dv": 4096, "vth": 2**17 - 1, **changes}
    return LIF(**{"name": name, "bias_mant": np.zeros(values["shape"], int), **values})


def run(groups: list[LIF], connections: list[Connection], x: list[int]) -> dict[str, Trace]:
    """One spike train into input `x`; traces of all groups."""
    program = Program(
        tuple(groups), tuple(connections), (Input("x", (1,), "spike"),), (Output("y", groups[-1].name),), profile="lava"
    )
    return both(program, np.array(x).reshape(-1, 1, 1), [g.name for g in groups])


def both(program: Program, x: np.ndarray, record: list[str]) -> dict[str, Trace]:
    """What the reference computes; the engine's values are the same."""
    found, other = (simulate(program, x, record=record, engine=engine).traces for engine in ("reference", "events"))
    for name, trace in found.items():
        assert all(np.array_equal(getattr(trace, k), getattr(other[name], k)) for k in "uvs")
    return dict(found)


def states(trace: Trace) -> dict[str, list[int]]:
    return {name: getattr(trace, name).ravel().tolist() for name in "uvs"}


def weight(*values: int) -> np.ndarray:
    return np.array([values])


# ---------------------------------------------------------------- one neuron, by hand


def test_a_spike_arrives_one_step_later_and_leaks_through_u_and_v() -> None:
    """u: 10 << 6 = 640, then trunc(u * 2048 / 4096); v: trunc(v * 3072 / 4096) + u."""
    g = neuron(du=2047, dv=1024)
    assert states(run([g], [Dense("x", "g", weight(10))], [1, 0, 0, 0, 0])["g"]) == {
        "u": [0, 640, 320, 160, 80],
        "v": [0, 640, 800, 760, 650],
        "s": [0, 0, 0, 0, 0],
    }


def test_negative_states_round_toward_zero() -> None:
    """-64 * 4095 / 4096 = -63.98: kept as -63, as +63 would be."""
    g = neuron(du=0)
    assert states(run([g], [Dense("x", "g", weight(-1))], [1, 0, 0])["g"])["u"] == [0, -64, -63]


def test_a_neuron_spikes_strictly_above_its_threshold_and_is_cleared() -> None:
    at, above = (run([neuron(vth=vth)], [Dense("x", "g", weight(5))], [1, 0])["g"] for vth in (5, 4))
    assert states(at) == {"u": [0, 320], "v": [0, 320], "s": [0, 0]}
    assert states(above) == {"u": [0, 320], "v": [0, 0], "s": [0, 1]}


def test_the_current_survives_the_spike() -> None:
    """u stays at 320, which alone lifts v over 4 << 6 = 256 at every step."""
    assert states(run([neuron(du=-1, vth=4)], [Dense("x", "g", weight(5))], [1, 0, 0])["g"]) == {
        "u": [0, 320, 320],
        "v": [0, 0, 0],
        "s": [0, 1, 1],
    }


def test_a_bias_enters_v_without_the_shift_by_6_and_from_the_first_step_on() -> None:
    g = neuron(dv=0, bias_mant=weight(3)[0], bias_exp=2)
    assert states(run([g], [], [0, 0, 0])["g"])["v"] == [12, 24, 36]


def test_a_bias_alone_makes_a_neuron_spike_at_a_steady_pace() -> None:
    """100 a step against 4 << 6 = 256: over it at every third step."""
    g = neuron(dv=0, vth=4, bias_mant=weight(100)[0])
    assert states(run([g], [], [0] * 7)["g"]) == {
        "u": [0] * 7,
        "v": [100, 200, 0, 100, 200, 0, 100],
        "s": [0, 0, 1, 0, 0, 1, 0],
    }


# ---------------------------------------------------------------- connections, by hand


@pytest.mark.parametrize("delay", [0, 1, 5, 62])
def test_a_delay_adds_to_the_one_step_that_every_connection_takes(delay: int) -> None:
    v = states(run([neuron()], [Dense("x", "g", weight(1), delay=delay)], [1] + [0] * 70)["g"])["v"]
    assert np.flatnonzero(v).tolist() == [1 + delay]


def test_two_connections_into_one_group_add_up() -> None:
    v = states(run([neuron()], [Dense("x", "g", weight(3)), Dense("x", "g", weight(4))], [1, 0])["g"])["v"]
    assert v == [0, 7 << 6]


def test_a_loop_feeds_a_group_its_own_spikes() -> None:
    g = neuron(vth=0)
    assert states(run([g], [Dense("x", "g", weight(1)), Dense("g", "g", weight(1), delay=1)], [1] + [0] * 6)["g"])[
        "s"
    ] == [0, 1, 0, 1, 0, 1, 0]


def test_a_positive_exponent_shifts_left() -> None:
    assert states(run([neuron()], [Dense("x", "g", weight(-3), 4)], [1, 0])["g"])["v"] == [0, -3 << 10]


def test_a_negative_exponent_shifts_the_sum_and_not_each_weight() -> None:
    """(1 + 1) >> 1 = 1, where each alone would give 0; -1 >> 1 = -1, toward minus infinity."""
    hub = neuron("hub", shape=(2,), vth=0)
    fan = Dense("x", "hub", np.array([[1], [1]]))
    for weights, arrives in ((weight(1, 1), 1), (weight(1, 0), 0), (weight(-1, 0), -1), (weight(-1, -2), -2)):
        assert (
            states(run([hub, neuron()], [fan, Dense("hub", "g", weights, -1)], [1, 0, 0])["g"])["u"][2] == arrives << 6
        )


def test_a_negative_exponent_shifts_the_sum_of_each_delay_by_itself() -> None:
    hub = neuron("hub", shape=(2,), vth=0)
    fan = Dense("x", "hub", np.array([[1], [1]]))
    trace = run([hub, neuron()], [fan, Dense("hub", "g", weight(1, 3), -1, delay=weight(0, 1))], [1, 0, 0, 0])["g"]
    assert states(trace)["u"] == [0, 0, 0 << 6, 1 << 6]


def test_a_sparse_connection_equals_the_dense_one_with_its_synapses(rng: np.random.Generator) -> None:
    row, col = np.nonzero(rng.random((7, 5)) < 0.4)
    values, delay = rng.integers(-60, 60, row.size) * 2, rng.integers(0, 4, row.size)
    full, full_delay = np.zeros((7, 5), int), np.zeros((7, 5), int)
    full[row, col], full_delay[row, col] = values, delay
    x = rng.integers(0, 2, (10, 3, 5))
    one, other = (
        both(
            Program((neuron("g", shape=(7,), du=900),), (c,), (Input("x", (5,), "spike"),), (Output("y", "g"),)),
            x,
            ["g"],
        )["g"]
        for c in (Dense("x", "g", full, -2, full_delay), Sparse("x", "g", row, col, values, -2, delay))
    )
    assert np.array_equal(one.u, other.u)
    assert one.u.any()


def test_the_first_element_of_a_weight_is_the_target() -> None:
    hub = neuron("hub", shape=(2,), vth=0)
    trace = run([hub], [Dense("x", "hub", np.array([[3], [5]]))], [1, 0])["hub"]
    assert trace.u[1, 0].tolist() == [3 << 6, 5 << 6]


# ---------------------------------------------------------------- convolutions, against others


def test_a_convolution_is_scipys_correlation(rng: np.random.Generator) -> None:
    conv = Conv("x", "g", rng.integers(-100, 100, (1, 1, 3, 2)) * 2)
    x = rng.integers(0, 2, (2, 1, 6, 7))
    ours = reference.convolve(conv, x, conv.output_shape((1, 6, 7)))
    assert np.array_equal(ours[:, 0], [correlate2d(image[0], conv.weight[0, 0], mode="valid") for image in x])


def test_a_padded_convolution_is_scipys_full_correlation(rng: np.random.Generator) -> None:
    conv = Conv("x", "g", rng.integers(0, 256, (1, 1, 3, 3)), padding=(2, 2))
    x = rng.integers(0, 2, (1, 1, 4, 5))
    ours = reference.convolve(conv, x, conv.output_shape((1, 4, 5)))
    assert np.array_equal(ours[0, 0], correlate2d(x[0, 0], conv.weight[0, 0], mode="full"))


@pytest.mark.parametrize("seed", range(30))
def test_a_convolution_is_torchs_with_stride_padding_dilation_and_groups(seed: int) -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(seed)
    shape = (1,)
    while len(shape) == 1:
        shape = random_shape(rng)
    conv = random_conv(rng, "x", shape, "g")
    x = rng.integers(0, 2, (2, *shape))
    theirs = torch.nn.functional.conv2d(
        torch.from_numpy(x),
        torch.from_numpy(conv.weight.astype(np.int64)),
        stride=conv.stride,
        padding=conv.padding,
        dilation=conv.dilation,
        groups=conv.groups,
    ).numpy()
    assert theirs.shape[1:] == conv.output_shape(shape)
    assert np.array_equal(reference.convolve(conv, x, theirs.shape[1:]), theirs)


def test_a_convolution_arrives_shifted_and_delayed() -> None:
    g = neuron(shape=(1, 1, 2))
    conv = Conv("x", "g", np.array([[[[3]]]]), weight_exp=2, delay=1)
    program = Program((g,), (conv,), (Input("x", (1, 1, 2), "spike"),), (Output("y", "g"),))
    x = np.zeros((4, 1, 1, 1, 2), int)
    x[0, 0, 0, 0, 1] = 1
    assert both(program, x, ["g"])["g"].v[:, 0, 0, 0].tolist() == [[0, 0], [0, 0], [0, 768], [0, 0]]


# ---------------------------------------------------------------- the first layer on the host


def encoded(encoder: Encoder, x: list[int], latency: int = 0) -> list[int]:
    g, image = neuron(bias_exp=1), Input("image", (1,), "bias", -255, 255)
    program = Program((g,), (), (image,), (Output("y", "g"),), (encoder,), latency=latency)
    return states(both(program, np.array(x).reshape(-1, 1, 1), ["g"])["g"])["v"]


def test_an_encoder_replaces_the_bias_within_the_step() -> None:
    """(5 * x << 1) + 7, divided by 8, halves up: 37 -> 5, 17 -> 2, -13 -> -2, 27 -> 3; then bias_exp 1 doubles."""
    encoder = Encoder(Dense("image", "g", weight(5), 1), weight(7)[0], shift=3)
    assert encoded(encoder, [3, 1, -2, 2]) == [10, 4, -4, 6]


def test_an_encoder_rounds_halves_up() -> None:
    encoder = Encoder(Dense("image", "g", weight(1)), weight(0)[0], shift=1)
    assert encoded(encoder, [1, -1, 3, -3]) == [2, 0, 4, -2]


def test_the_last_bias_that_was_loaded_stays_on_the_chip() -> None:
    assert encoded(Encoder(Dense("image", "g", weight(1)), weight(0)[0]), [1, 4], latency=2) == [2, 8, 8, 8]


@pytest.mark.parametrize(("x", "offset", "mant"), [(255, 16, 4096), (-255, -17, -4097)])
def test_a_mantissa_that_leaves_its_13_bits_is_refused_under_every_profile(x: int, offset: int, mant: int) -> None:
    """16 * 255 = 4080."""
    with pytest.raises(OverflowDetected) as caught:
        encoded(Encoder(Dense("image", "g", weight(16)), weight(offset)[0]), [0, x])
    assert str(caught.value) == f"g: bias_mant ({mant}) is not in [-4096, 4095]"


@pytest.mark.parametrize(("x", "offset", "mant"), [(255, 15, 4095), (-255, -16, -4096)])
def test_the_last_mantissas_of_13_bits_are_taken(x: int, offset: int, mant: int) -> None:
    assert encoded(Encoder(Dense("image", "g", weight(16)), weight(offset)[0]), [0, x]) == [2 * offset, 2 * mant]


def test_an_encoders_convolution_takes_each_image_of_a_batch() -> None:
    """Two images of two pixels, two channels of weights 4 and -2, offsets by channel and place, two targets each."""
    conv = Conv("image", "g", np.array([4, -2]).reshape(2, 1, 1, 1))
    encoder = Encoder(conv, np.array([10, 20, 30, 40]).reshape(2, 1, 2))
    mant = reference.encode(encoder, np.array([[1, 2], [5, -1]]), (1, 1, 2), (2, 1, 2))
    assert mant.tolist() == [[14, 28, 28, 36], [30, 16, 20, 42]]


def test_the_host_loads_each_neurons_own_mantissa() -> None:
    """Two targets: weights 2 and -4, shifted by the exponent of 1 on the chip."""
    g, image = neuron(shape=(2,), bias_exp=1), Input("image", (1,), "bias", -255, 255)
    encoder = Encoder(Dense("image", "g", np.array([[2], [-4]])), np.array([0, 5]))
    program = Program((g,), (), (image,), (Output("y", "g"),), (encoder,), latency=1)
    trace = both(program, np.array([[[4]], [[6]]]), ["g"])["g"]
    assert trace.v[:, 0].tolist() == [[16, -22], [24, -38], [24, -38]]


# ---------------------------------------------------------------- the reset wave


def test_a_reset_clears_u_and_v_before_the_steps_own_input() -> None:
    """Interval 4, offset 3: before t = 3 and 7. What arrives at 3 counts; what came before does not."""
    g = neuron(du=-1, dv=0, reset_interval=4, reset_offset=3)
    trace = run([g], [Dense("x", "g", weight(1))], [1, 1, 0, 0, 0, 0, 0])["g"]
    assert states(trace)["u"] == [0, 64, 64, 64, 64, 64, 0]
    assert states(trace)["v"] == [0, 64, 64, 128, 192, 256, 0]


def test_a_spike_on_its_way_survives_the_reset() -> None:
    g = neuron(du=-1, reset_interval=4, reset_offset=3)
    assert states(run([g], [Dense("x", "g", weight(1), delay=2)], [1, 0, 0, 0])["g"])["u"] == [0, 0, 0, 64]


def test_a_bias_at_depth_1_starts_counting_with_the_first_input_when_the_reset_says_so() -> None:
    """The first input of each window of 4 arrives at t = 2, 6, ...; the bias before it must leave no trace."""
    wave = {"reset_interval": 4, "reset_offset": 2}
    g = neuron(dv=0, bias_mant=weight(10)[0], **wave)
    assert states(run([g], [Dense("x", "g", weight(1))], [1, 0, 0, 0] * 2 + [0])["g"])["v"] == [
        10,
        *(74, 84, 94, 104),
        *(74, 84, 94, 104),
    ]


def test_the_reset_wave_gives_every_depth_the_same_window() -> None:
    """LIF k of a chain resets at (1 + k) % 4, so that its k-th step of any window is as if it were the first."""
    groups = [
        neuron(f"g{k}", dv=0, vth=2, bias_mant=weight(60)[0], reset_interval=4, reset_offset=1 + k) for k in (1, 2, 3)
    ]
    links: list[Connection] = [Dense(a, b, weight(1)) for a, b in (("x", "g1"), ("g1", "g2"), ("g2", "g3"))]
    traces = run(groups, links, [1, 0, 1, 0] * 3 + [0] * 3)
    for k in (1, 2, 3):
        windows = traces[f"g{k}"].v[k : k + 12].reshape(3, 4)
        assert windows[0].tolist() == windows[1].tolist() == windows[2].tolist()
    assert traces["g1"].v[1:5].ravel().tolist() == [124, 0, 124, 0]
    assert traces["g1"].s[1:5].ravel().tolist() == [0, 1, 0, 1]


def test_what_is_on_its_way_after_the_input_is_that_of_each_sample() -> None:
    g = neuron(shape=(2,))
    dense = Dense("x", "g", np.array([[3, 1, 0], [0, 2, 4]]), delay=1)
    program = Program((g,), (dense,), (Input("x", (3,), "spike"),), (Output("y", "g"),), latency=1)
    x = np.array([[[1, 0, 1], [0, 1, 0]]])
    end = reference.run(program, {"x": x}, 2, lambda *_: None)
    box = {t: a.tolist() for t, a in end.arriving["g", "a"].items()}
    assert end.t == 2 and box == {3: [[3, 4], [1, 2]], 4: [[0, 0], [0, 0]]}


# ---------------------------------------------------------------- which steps are watched


@pytest.mark.parametrize(
    ("interval", "offset", "length", "first", "last"),
    [
        (8, 3, 5, 3, 7),  # the sample's 5 steps begin with the reset
        (5, 3, 5, 3, 7),
        (5, 1, 5, 1, 5),
        (5, 4, 5, 4, 8),  # latency 3: no later offset than 4 belongs to a depth
        (5, 5, 5, 0, 20),
        (8, 0, 5, 0, 20),
        (4, 3, 5, 0, 20),  # resets within a sample
        (0, 0, 5, 0, 20),
    ],
)
def test_a_group_is_watched_from_the_reset_of_its_sample_to_its_end(
    interval: int, offset: int, length: int, first: int, last: int
) -> None:
    g = neuron(reset_interval=interval, reset_offset=offset)
    program = Program((g,), (), (Input("x", (1,), "spike"),), (Output("y", "g"),), latency=3)
    assert [t for t in range(21) if reference.watched(program, g, t, length)] == list(range(first, last + 1))


LOUD = {"dv": 0, "bias_mant": weight(4095)[0], "bias_exp": 7}
"""524160 a step: v leaves its word at step 17, and at the 17th after a reset."""


def silence(g: LIF, steps: int, profile: str | None, given: int, latency: int = 2) -> int:
    """How many steps a neuron runs without input, of which `given` are the sample's."""
    program = Program((g,), (), (Input("x", (1,), "spike"),), (Output("y", "g"),), latency=latency)
    return reference.run(program, {"x": np.zeros((given, 1, 1), np.int64)}, steps, lambda *_: None, profile).t  # type: ignore[arg-type]


def test_the_programs_own_profile_holds_unless_another_is_named() -> None:
    for steps, profile in ((16, None), (20, "lava")):
        assert silence(neuron(**LOUD), steps, profile, 20) == steps
    for strict in (None, "strict"):
        with pytest.raises(OverflowDetected, match="g: v of neuron 0 at step 17"):
            silence(neuron(**LOUD), 20, strict, 20)


def test_what_overflows_where_no_sample_is_is_no_offence() -> None:
    """The sample's steps are 3 to 12; the word is left at step 19, before the next reset at 23."""
    g = neuron(**LOUD, reset_interval=20, reset_offset=3)
    assert silence(g, 22, "strict", 10) == 22
    with pytest.raises(OverflowDetected, match="g: v of neuron 0 at step 19"):
        silence(g, 22, "strict", 18)


def test_a_convolutions_sum_is_watched_at_the_step_at_which_it_arrives() -> None:
    """255 << 7 at 300 places of a kernel is more than 2^23; sent at step 2, it counts for step 3."""
    conv = Conv("x", "g", np.full((1, 1, 1, 300), 255), weight_exp=7)
    entry, x = Input("x", (1, 1, 300), "spike"), np.zeros((8, 1, 300), np.int64)
    x[1] = 1
    for offset in (3, 4):
        g = neuron(shape=(1, 1, 1), reset_interval=8, reset_offset=offset)
        program = Program((g,), (conv,), (entry,), (Output("y", "g"),), latency=3)
        if offset == 4:
            assert reference.run(program, {"x": x}, 8, lambda *_: None).t == 8
            continue
        with pytest.raises(OverflowDetected, match="sum of a convolution into u of neuron 0 at step 2"):
            reference.run(program, {"x": x}, 8, lambda *_: None)
