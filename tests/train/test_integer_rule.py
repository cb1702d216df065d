"""The integer rule on tensors, and its compiled form, equal Python's own integers at the borders of their words."""

import numpy as np
import pytest
import torch

from spikeport.errors import OverflowDetected
from spikeport.train import integer_kernel
from spikeport.train.image import Image
from spikeport.train.integer_rule import IntegerNeurons, encode, fire, forward_image
from spikeport.train.quant import LayerIntegers
from spikeport.train.synapses import QuantLinear

M = 1 << 23


def by_hand(arriving: np.ndarray, bias: np.ndarray, keep_v: int, vth: int, subtract: bool) -> np.ndarray | None:
    """Spikes `(T, n)` of sums `(T, n)`, neuron by neuron; None where u or v leaves 24 bits."""
    spikes = np.zeros(arriving.shape, np.int64)
    for k in range(arriving.shape[1]):
        v = 0
        for t in range(len(arriving)):
            u = int(arriving[t, k]) * 64
            v = abs(v) * keep_v // 4096 * (1 if v >= 0 else -1) + u + int(bias[t, k])
            if not (-M < u <= M and -M < v < M):
                return None
            spikes[t, k] = v > 64 * vth
            if spikes[t, k]:
                v = v - 64 * vth if subtract else 0
    return spikes


def stepped(arriving: np.ndarray, bias: np.ndarray, keep_v: int, vth: int, subtract: bool) -> np.ndarray | None:
    neurons = IntegerNeurons(keep_v, vth, subtract=subtract)
    try:
        steps = [neurons(torch.from_numpy(a), torch.from_numpy(b)) for a, b in zip(arriving, bias, strict=True)]
    except OverflowDetected:
        return None
    return torch.stack(steps).numpy()


@pytest.mark.parametrize("subtract", [False, True])
@pytest.mark.parametrize("keep_v", [0, 1, 3000, 4095, 4096])
def test_every_form_equals_python_integers(keep_v: int, subtract: bool, rng: np.random.Generator) -> None:
    """The biases of the last step put v on the threshold, beside it, and on the borders of its word."""
    steps, n, vth = 4, 700, 90  # more neurons than one block of the compiled form
    arriving = rng.integers(-200, 200, (steps, n))
    bias = rng.integers(-3000, 3000, (steps, n))
    arriving[-1], bias[-1] = 0, 0
    neurons, v = IntegerNeurons(keep_v, vth, subtract=subtract), None
    for a, b in zip(arriving, bias, strict=True):
        neurons(torch.from_numpy(a), torch.from_numpy(b))
        v = neurons.v
    assert isinstance(v, torch.Tensor)
    bias[-1] = 64 * vth + rng.integers(-1, 2, n) - by_hand_v(arriving, bias, keep_v, vth, subtract)
    want = by_hand(arriving, bias, keep_v, vth, subtract)
    assert want is not None and want.any() and not want.all()
    assert np.array_equal(stepped(arriving, bias, keep_v, vth, subtract), want)
    compiled = integer_kernel.fire(arriving[:, None], bias[:, None], keep_v, vth, subtract)
    assert compiled is not None and np.array_equal(compiled[:, 0], want)


def by_hand_v(arriving: np.ndarray, bias: np.ndarray, keep_v: int, vth: int, subtract: bool) -> np.ndarray:
    """What v is after the last step if it never reaches the threshold there: `(n,)`."""
    v = [0] * arriving.shape[1]
    for t in range(len(arriving)):
        for k in range(len(v)):
            kept = abs(v[k]) * keep_v // 4096 * (1 if v[k] >= 0 else -1)
            v[k] = kept + 64 * int(arriving[t, k]) + int(bias[t, k])
            if t + 1 < len(arriving) and v[k] > 64 * vth:
                v[k] = v[k] - 64 * vth if subtract else 0
    return np.array(v)


@pytest.mark.parametrize("high", [True, False])
@pytest.mark.parametrize("off", [-1, 0, 1])
def test_both_forms_refuse_what_leaves_a_word_and_nothing_else(high: bool, off: int) -> None:
    """u may be 2^23, v may not; below it is the other way round by one."""
    for a, bias in ((M // 64 + off, -M // 2), (-M // 64 + off, M // 2), (0, M - 1 + off), (0, 1 - M + off)):
        if (a + bias > 0) != high:
            continue
        sums, biases = np.array([[3, a]]), np.array([[0, bias]])
        want = by_hand(sums, biases, 4096, 131071, False)
        got = stepped(sums, biases, 4096, 131071, False)
        compiled = integer_kernel.fire(sums[:, None], biases[:, None], 4096, 131071, False)
        assert (want is None) == (got is None) == (compiled is None)


def test_a_current_that_lasts_is_kept_toward_zero() -> None:
    neurons = IntegerNeurons(4096, 1000, keep_u=2048)
    zero = torch.zeros(3, dtype=torch.int64)
    neurons(torch.tensor([5, -5, 0]), zero)
    neurons(zero, zero)
    assert isinstance(neurons.u, torch.Tensor) and neurons.u.tolist() == [160, -160, 0]
    for _ in range(6):
        neurons(zero, zero)
    assert neurons.u.tolist() == [2, -2, 0]
    neurons(zero, zero)
    neurons(zero, zero)
    assert neurons.u.tolist() == [0, 0, 0]


def test_an_integrator_may_reach_its_threshold_and_not_pass_it() -> None:
    for beyond in (0, 1):
        neurons = IntegerNeurons(4096, 7, fires=False)
        arriving, bias = torch.tensor([7]), torch.tensor([beyond])
        if beyond:
            with pytest.raises(OverflowDetected, match=r"v \(449\) leaves 24 bits"):
                neurons(arriving, bias)
        else:
            assert neurons(arriving, bias).tolist() == [False]


@pytest.mark.parametrize(("shift", "want"), [(0, [-3, -1, 5, 6, 7]), (1, [-1, 0, 3, 3, 4]), (2, [-1, 0, 1, 2, 2])])
def test_an_image_is_shifted_with_halves_rounded_up(shift: int, want: list[int]) -> None:
    one = QuantLinear(1, 1)
    x, offset = torch.tensor([[-4.0], [-2.0], [4.0], [5.0], [6.0]]), torch.tensor([1])
    assert encode(one, x, torch.ones(1, 1), offset, shift).flatten().tolist() == want


def test_a_steady_bias_and_one_of_each_step_are_told_apart() -> None:
    arriving = torch.zeros(3, 1, 2, dtype=torch.int64)
    assert fire(arriving, torch.tensor([65, 64]), 0, 1).flatten(1).tolist() == [[1, 0], [1, 1], [1, 0]]
    each = torch.tensor([[[65, 0]], [[0, 0]], [[64, 64]]])
    assert fire(arriving, each, 4096, 1).flatten(1).tolist() == [[1, 0], [0, 0], [0, 0]]


def test_an_image_enters_as_the_bias_of_every_step() -> None:
    """3 x + 1 = 16 << 2 = 64 a step on a threshold of 128, which the third step passes."""
    ints = LayerIntegers(torch.tensor([[3.0]]), torch.tensor([1]), 2, dv=0, vth=2, unit=1.0, encoder_shift=0)
    spikes = forward_image(QuantLinear(1, 1), Image(steps=3), ints, "zero", torch.tensor([[5.0]]))
    assert spikes.flatten().tolist() == [0, 0, 1]
