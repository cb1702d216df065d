"""The proof of overflow: bounds that no run leaves, and spikes that overflow what is not proven."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from spikeport import fixed
from spikeport.deploy.bounds import CEILING, Bound, prove
from spikeport.deploy.bounds.lif import _least_fixpoint as least_fixpoint
from spikeport.deploy.fan_in import row
from spikeport.deploy.witness import Witness, find_witness
from spikeport.errors import OverflowDetected
from spikeport.program import LIF, Conv, Dense, Group, Input, Output, Program, SigmaDelta
from spikeport.sim import reference, simulate
from spikeport.sim.random_programs import KINDS, random_conv, random_program

SEEDS = st.integers(0, 2**32 - 1)


def layer(weight: Any = ((254,),), entry: Input | None = None, connection: Any = None, **changes: Any) -> Program:
    weight = np.array(weight)
    n = len(weight)
    lif = LIF("lif", (n,), **{"du": 4095, "dv": 4096, "vth": 40, "bias_mant": np.zeros(n, int), **changes})
    entry = entry or Input("x", weight.shape[1:], "spike")
    link = connection or Dense("x", "lif", weight, graded=entry.kind == "graded")
    return Program((lif,), (link,), (entry,), (Output("y", "lif"),))


def intervals(program: Program) -> dict[str, tuple[int, int]]:
    return {bound.what: bound.interval for bound in prove(program)[0].bounds}


# ---------------------------------------------------------------- bounds


@given(SEEDS)
@settings(max_examples=150)
def test_no_run_leaves_the_bounds_of_a_proven_layer(seed: int) -> None:
    rng = np.random.default_rng(seed)
    program, inputs = random_program(rng, kinds=tuple(KINDS), steps=20)
    result = simulate(program, inputs, record=[g.name for g in program.groups], profile="lava")
    for found in prove(program):
        event(f"proven: {found.proven}")
        states = result.traces[found.group].state
        seen = [bound for bound in found.bounds if bound.what in states]  # u, v; re, im; sigma, error
        assert seen or isinstance(program.group(found.group), SigmaDelta)
        for bound in seen if found.proven else ():
            values = states[bound.what].reshape(-1, bound.low.size)
            assert (values >= bound.low).all() and (values <= bound.high).all()


def arrives(group: Group, port: str) -> tuple[str, int]:
    """The name of what arrives, and the exponent with which it is watched."""
    if isinstance(group, SigmaDelta) and group.stage == "delta":
        return "a", group.spike_exp + group.state_exp
    return ("a" if port == "a" else f"a_{port}"), 0


@given(SEEDS)
@example(9068621)  # graded spikes leave 32 bits at a step that belongs to no sample
@settings(max_examples=150)
def test_what_arrives_never_leaves_its_bounds(seed: int) -> None:
    """Where the sums on the way fit their words: one that does not may wrap to anything where no sample is."""
    rng = np.random.default_rng(seed)
    program, inputs = random_program(rng, kinds=tuple(KINDS), steps=12)
    found = {f.group: f for f in prove(program)}
    fits = {n: all(b.fits.all() for b in f.bounds if b.what.startswith("sum")) for n, f in found.items()}
    flat = {name: x.reshape(*x.shape[:2], -1) for name, x in inputs.items()}
    try:
        for cut in range(1, 12):
            state = reference.run(program, {k: x[:cut] for k, x in flat.items()}, cut, lambda *_: None, "strict")
            for (group, port), box in state.arriving.items():
                what, exp = arrives(program.group(group), port)
                a = box.get(cut + 1, np.zeros(1, np.int64)) << exp
                inside = (a >= found[group][what].low).all() and (a <= found[group][what].high).all()
                assert inside or not fits[group]
    except OverflowDetected as error:
        assert not found[error.where].proven


@given(SEEDS)
@settings(max_examples=100)
def test_a_proven_layer_never_raises(seed: int) -> None:
    rng = np.random.default_rng(seed)
    program, inputs = random_program(rng, kinds=tuple(KINDS), steps=30)
    proven = {f.group for f in prove(program) if f.proven}
    try:
        simulate(program, inputs, profile="strict")
    except OverflowDetected as error:
        assert error.where not in proven


@given(
    keep=st.integers(0, fixed.DECAY_ONE),
    drive=st.integers(0, 2**24),
)
def test_the_fixpoint_is_where_the_iteration_ends(keep: int, drive: int) -> None:
    def f(x: np.ndarray) -> np.ndarray:
        return np.minimum(fixed.decay(x, keep) + drive, CEILING)

    end = least_fixpoint(f, 1)
    assert f(end) == end or end == CEILING
    assert end == 0 or f(end - 1) > end - 1  # monotone: nothing below stops it
    x = np.zeros(1, np.int64)
    for _ in range(300):
        x = f(x)
        assert x <= end


def test_bounds_of_a_small_layer_by_hand() -> None:
    found = intervals(layer([[254, -128, 2]], du=2047, dv=2048, vth=100, bias_mant=np.array([-10])))
    # u: x = (x * 2048 >> 12) + 256 * 64 ends at 32767; v: at most 6400 stays of it, half of that decays
    assert found["a"] == (-128, 256)
    assert found["u"] == (-(2 * 128 * 64 - 1), 2 * 256 * 64 - 1)
    assert found["v"] == (-(2 * (2 * 128 * 64 - 1 + 10) - 1), 3200 + 32767 - 10)


def test_a_negative_exponent_rounds_the_sum_down() -> None:
    link = Dense("x", "lif", np.array([[6, -6]]), weight_exp=-2)
    assert intervals(layer([[6, -6]], connection=link))["a"] == (-2, 1)


def test_delays_are_added_up_and_shifted_apart() -> None:
    link = Dense("x", "lif", np.array([[1, 1]]), weight_exp=-1, delay=np.array([[0, 3]]))
    assert intervals(layer([[1, 1]], connection=link))["a"] == (0, 0)
    assert intervals(layer([[1, 1]], connection=replace(link, delay=0)))["a"] == (0, 1)


def test_a_reset_bounds_the_steps_over_which_u_builds_up() -> None:
    assert intervals(layer(du=-1, reset_interval=8))["u"] == (0, 8 * 254 * 64)
    assert intervals(layer(du=-1))["u"] == (0, CEILING)
    assert prove(layer(du=-1, reset_interval=8))[0].proven


def test_a_graded_input_counts_with_its_range_and_with_silence() -> None:
    assert intervals(layer([[2, -4]], Input("x", (2,), "graded", 3, 100)))["a"] == (-400, 200)


def test_a_bound_on_the_edge_of_its_word_fits() -> None:
    edge = np.array([fixed.WRAP_AT])
    assert Bound("u", -edge + 1, edge, (-fixed.WRAP_AT + 1, fixed.WRAP_AT)).fits.all()
    assert not Bound("u", -edge, edge, (-fixed.WRAP_AT + 1, fixed.WRAP_AT)).fits.any()


@given(SEEDS)
@settings(max_examples=50)
def test_a_row_of_a_convolution_is_that_of_its_matrix(seed: int) -> None:
    rng = np.random.default_rng(seed)
    source = (int(rng.integers(1, 4)) * 2, int(rng.integers(3, 8)), int(rng.integers(3, 8)))
    conv: Conv = replace(random_conv(rng, "x", source, "y"), weight_exp=0)
    target = conv.output_shape(source)
    neuron = int(rng.integers(np.prod(target)))
    columns = np.eye(np.prod(source), dtype=np.int64).reshape(-1, *source)
    matrix = reference.convolve(conv, columns, target).reshape(len(columns), -1)
    assert np.array_equal(row(conv, neuron, source, target)[0], matrix[:, neuron])


# ---------------------------------------------------------------- witnesses


def overflows_as_said(witness: Witness) -> None:
    with pytest.raises(OverflowDetected) as caught:
        simulate(witness.program, witness.inputs, profile="strict")
    assert caught.value.where == witness.program.groups[0].name
    place = f"{witness.what} of neuron {witness.neuron} at step {witness.step}"
    assert caught.value.what == ("bias_mant" if witness.what == "bias_mant" else place)


def test_a_sum_that_overflows_has_a_sample_in_which_it_arrives() -> None:
    """A sample ends with its input, and a sum is judged in the step in which it arrives."""
    rng = np.random.default_rng(48938496)
    program, _ = random_program(rng, kinds=tuple(KINDS), steps=4)
    witness = find_witness(program, next(g for g in prove(program) if g.group == "g1"))
    assert witness is not None and witness.what == "sum of graded spikes"
    overflows_as_said(witness)


@pytest.mark.slow
@given(SEEDS)
@settings(max_examples=60)
def test_every_witness_overflows_when_run(seed: int) -> None:
    rng = np.random.default_rng(seed)
    program, _ = random_program(rng, kinds=tuple(KINDS), steps=4)
    for found in prove(program):
        witness = find_witness(program, found)
        event("proven" if found.proven else "witness" if witness else "open")
        if witness is not None:
            overflows_as_said(witness)


# neuron 1 takes in 508 << 6 at each step from the second on, and 259 times that is more than 2^23
@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"du": -1}, ("u", 1, 260)),
        ({"dv": 0, "vth": fixed.VTH_MAX}, ("v", 1, 260)),
    ],
)
def test_a_layer_fed_by_inputs_has_an_input_of_the_network_as_witness(changes: Any, place: Any) -> None:
    program = layer([[0, 2], [254, 254], [-2, 2]], **changes)
    (found,) = prove(program)
    witness = find_witness(program, found)
    assert witness is not None and witness.of_network
    assert (witness.what, witness.neuron, witness.step) == place
    given_ = witness.network_input(program)
    assert given_["x"].shape == (witness.step, 1, 2)
    with pytest.raises(OverflowDetected) as caught:
        simulate(program, given_)
    assert (caught.value.where, caught.value.what) == ("lif", f"{place[0]} of neuron 1 at step {witness.step}")


def test_a_convolution_leaves_its_word() -> None:
    conv = Conv("x", "lif", np.full((1, 1, 3, 3), 254), weight_exp=7, graded=True)
    lif = LIF("lif", (1, 2, 2), 4095, 4096, 40, np.zeros((1, 2, 2), int))
    program = Program((lif,), (conv,), (Input("x", (1, 4, 4), "graded", 0, 90),), (Output("y", "lif"),))
    (found,) = prove(program)
    assert not found["sum of a convolution into u"].fits.any()
    witness = find_witness(program, found)
    assert witness is not None and witness.what == "sum of a convolution into u" and witness.step == 1
    overflows_as_said(witness)


def test_a_deeper_layer_is_cut_out_and_nothing_is_said_of_the_network() -> None:
    first = layer([[254], [254]])
    second = replace(layer([[254, 254]], du=-1).groups[0], name="deep")
    links = (*first.connections, Dense("lif", "deep", np.array([[254, 254]])), Dense("deep", "deep", np.array([[2]])))
    program = replace(first, groups=(*first.groups, second), connections=links)
    shallow, deep = prove(program)
    witness = find_witness(program, deep)
    assert shallow.proven and witness is not None and not witness.of_network
    assert set(witness.inputs) == {"lif", "deep_loop"}
    overflows_as_said(witness)


# ---------------------------------------------------------------- readouts


def readout(bias: int, **changes: Any) -> Program:
    """v reaches 8388544 + bias where all sources send: the weights add up to 131071 of 64 each."""
    weight = np.full((1, 515), 255)
    weight[0, -1] = 1
    program = layer(weight, vth=fixed.VTH_MAX, bias_mant=np.array([bias]), **changes)
    return replace(program, outputs=(Output("y", "lif", reads="v"),))


def test_a_readout_is_proven_only_if_it_cannot_spike() -> None:
    """v has 63 values between the highest threshold and the end of its word, where it spikes and is cleared."""
    assert prove(readout(0))[0].proven
    (found,) = prove(readout(1))
    assert not found.proven and found["v"].interval == (0, 8388545) and found["v"].word == (-8388607, 8388544)
    spiking = replace(readout(1), outputs=(Output("y", "lif"),))
    assert prove(spiking)[0].proven and prove(spiking)[0]["v"].word == (-8388607, 8388607)
    low = replace(
        readout(-1), connections=(replace(readout(0).connections[0], weight=-readout(0).connections[0].weight),)
    )
    low = replace(low, groups=(replace(low.groups[0], vth_low=-fixed.VTH_MAX),))
    assert not prove(low)[0].proven


def test_a_witness_makes_a_readout_spike() -> None:
    program = readout(1)
    witness = find_witness(program, prove(program)[0])
    assert witness is not None and (witness.what, witness.neuron) == ("v", 0)
    with pytest.raises(
        OverflowDetected, match=rf"lif: v of neuron 0 at step {witness.step} \(8388545\) passes 8388544"
    ):
        simulate(program, witness.network_input(program))
