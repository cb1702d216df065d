"""Payloads on their way: what a connection makes of them, and what is counted."""

import numpy as np
import pytest

from spikeport.errors import InputError, OverflowDetected
from spikeport.program import LIF, Conv, Dense, Input, Output, Program, Resonator, SigmaDelta, Sparse
from spikeport.sim import count_operations, estimate_energy, simulate
from spikeport.sim.guard import Guard
from spikeport.sim.reference import deliver

PAYLOADS = np.array([[3, 0, -2]])
WEIGHT = np.array([[10, 20, 30], [-2, -4, -6]])


def dense(**changes: object) -> Dense:
    return Dense("x", "g", WEIGHT, **changes)  # type: ignore[arg-type]


def arrives(connection: Dense | Sparse | Conv, x: np.ndarray = PAYLOADS) -> dict[int, list[int]]:
    found = deliver(connection, x, (3,), (2,))
    return {delay: a[0].tolist() for delay, a in found.items()}


def program(*connections: Dense | Sparse, group: SigmaDelta | LIF | Resonator | None = None) -> Program:
    return Program(
        groups=(group or SigmaDelta("g", (2,), "sigma"),),
        connections=connections,
        inputs=(Input("x", (3,), "graded", -100, 100),),
        outputs=(Output("y", "g"),),
    )


def test_a_graded_connection_multiplies_and_another_counts_once() -> None:
    assert arrives(dense(graded=True)) == {0: [3 * 10 - 2 * 30, 3 * -2 - 2 * -6]}
    assert arrives(dense()) == {0: [10 + 30, -2 - 6]}


def test_a_negative_exponent_shifts_the_sum_of_the_products() -> None:
    assert arrives(dense(graded=True, weight_exp=-2)) == {0: [-30 >> 2, 6 >> 2]}


def test_each_delay_has_its_own_products() -> None:
    delay = np.array([[0, 0, 4], [0, 0, 4]])
    assert arrives(dense(graded=True, delay=delay)) == {0: [30, -6], 4: [-60, 12]}


def test_a_sparse_connection_multiplies_as_the_dense_one_does() -> None:
    row, col = np.nonzero(np.ones((2, 3)))
    assert arrives(Sparse("x", "g", row, col, WEIGHT.ravel(), graded=True)) == arrives(dense(graded=True))


def test_a_convolution_multiplies() -> None:
    conv = Conv("x", "g", np.array([[[[1, 2]]]]), graded=True)
    assert deliver(conv, PAYLOADS, (1, 1, 3), (1, 1, 2))[0].tolist() == [[3, -4]]


def test_each_sample_of_a_convolution_has_its_own_sums() -> None:
    """Two channels, two samples; places beside each other: 1 a + 2 b and -3 a."""
    conv = Conv("x", "g", 2 * np.array([[1, 2], [-3, 0]]).reshape(2, 1, 1, 2), graded=True)
    x = np.array([[3, 0, -2], [1, 1, 5]])
    found = deliver(conv, x, (1, 1, 3), (2, 1, 2))[0].tolist()
    assert found == [[6, -8, -18, 0], [6, 22, -6, -6]]


def test_a_sum_of_a_convolution_beyond_32_bits_has_no_value() -> None:
    conv = Conv("x", "g", np.full((1, 1, 1, 1), 255), 7, graded=True)
    with pytest.raises(OverflowDetected, match="sum of a convolution of neuron 0 at step 0 .* leaves 32 bits"):
        deliver(conv, np.array([[1 << 18]]), (1, 1, 1), (1, 1, 1))


def in_32_bits(x: int) -> int:
    return (x + (1 << 31)) % (1 << 32) - (1 << 31)


@pytest.mark.parametrize("payload", [(1 << 23) - 1, 1 << 23, 1 << 24, -(1 << 24)])
@pytest.mark.parametrize("delay", [0, 1, "each"])
@pytest.mark.parametrize("sparse", [False, True])
def test_products_and_sums_wrap_at_32_bits(payload: int, delay: int | str, sparse: bool) -> None:
    """A dense connection with a delay wraps each product, and no sum; all others wrap the sum of a delay.

    255 * 2^23 is 2^31 - 2^23, which 32 bits hold, and 255 * 2^24 is not.
    """
    weight, x = np.array([[255, 255, 3], [255, 0, 1]]), np.array([[payload, payload, 7]])
    delays = np.array([[0, 0, 0], [1, 1, 1]]) if delay == "each" else np.full((2, 3), delay)
    if sparse:
        row, col = np.nonzero(np.ones((2, 3)))
        given = delays.ravel() if delay == "each" else delay
        connection: Dense | Sparse = Sparse("x", "g", row, col, weight.ravel(), 0, given, graded=True)  # type: ignore[arg-type]
    else:
        connection = Dense("x", "g", weight, 0, delays if delay == "each" else delay, graded=True)  # type: ignore[arg-type]
    products = [[w * v for w, v in zip(row, x[0].tolist(), strict=True)] for row in weight.tolist()]
    if not sparse and delay != 0:
        sums = [sum(in_32_bits(p) for p in row) for row in products]
    else:
        sums = [in_32_bits(sum(row)) for row in products]
    want = {0: [sums[0], 0], 1: [0, sums[1]]} if delay == "each" else {delay: sums}
    assert arrives(connection, x) == want


def test_a_sum_that_leaves_32_bits_is_refused_where_it_is_strict() -> None:
    x = np.array([[1 << 23, 1 << 23, 0]])
    with pytest.raises(OverflowDetected, match=r"g: sum of graded spikes of neuron 0 at step 4 .* leaves 32 bits"):
        deliver(Dense("x", "g", np.full((1, 3), 255), graded=True), x, (3,), (1,), Guard("g", 4, "strict"))


def test_payloads_go_through_a_network_with_their_sign() -> None:
    x = np.array([[3, 0, -2], [0, 0, 0], [-1, 0, 0]])[:, None]
    result = simulate(program(dense(graded=True)), x, record=["g"])
    assert result.traces["g"].state["sigma"][:, 0].tolist() == [[0, 0], [-30, 6], [-30, 6]]
    assert result.spikes.dtype == np.int32
    assert result.counts().tolist() == [[-60, 12]]


def test_ports_are_added_up_by_themselves() -> None:
    group = Resonator("g", (2,), "rf", vth=99, sin_decay=0, cos_decay=0)
    links = (dense(graded=True, port="re"), dense(port="im"), dense(port="im"))
    state = simulate(program(*links, group=group), PAYLOADS[:, None].repeat(2, 0), record=["g"]).traces["g"].state
    assert state["re"][1, 0].tolist() == [-30, 6]
    assert state["im"][1, 0].tolist() == [80, -16]


def test_every_payload_but_zero_is_one_event() -> None:
    x = np.array([[3, 0, -2], [0, 0, 0], [-1, 0, 0]])[:, None]
    counts = count_operations(program(dense(graded=True)), simulate(program(dense(graded=True)), x))
    assert counts.layers[0].events_in == 3
    assert counts.sops == 3 * 2
    # each multiplies a weight by its payload: at 4.6 pJ, where an accumulate has 0.9
    parts = estimate_energy(counts, "cmos45-fp32").parts
    assert {name: part.nominal for name, part in parts.items()} == {"graded_macs": pytest.approx(6 * 4.6)}


def test_a_payload_outside_its_range_is_refused() -> None:
    with pytest.raises(InputError, match=r"input x: value \(-101\) is not in \[-100, 100\]"):
        simulate(program(dense(graded=True)), np.full((1, 1, 3), -101))


def test_a_convolution_beyond_32_bits_is_refused_under_every_profile() -> None:
    """Lava casts a float that an int32 cannot hold."""
    conv = Conv("x", "g", np.full((1, 1, 1, 1), 255), 7, graded=True)
    entry = Input("x", (1, 1, 1), "graded", -(2**17), 2**17)
    net = Program((SigmaDelta("g", (1, 1, 1), "sigma"),), (conv,), (entry,), (Output("y", "g"),), profile="lava")
    simulate(net, np.full((2, 1, 1, 1, 1), 2**31 // (255 << 7)))
    with pytest.raises(
        OverflowDetected, match="g: sum of a convolution of neuron 0 at step 1 .* leaves 32 bits; .*undefined"
    ):
        simulate(net, np.full((2, 1, 1, 1, 1), 2**31 // (255 << 7) + 1))
