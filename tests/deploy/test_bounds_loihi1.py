"""The proof of overflow in the words of the profile `loihi1`."""

from typing import Any

import numpy as np
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from spikeport.deploy.bounds import prove
from spikeport.errors import ProgramError
from spikeport.program import LIF, Conv, Dense, Input, Output, Program, SigmaDelta
from spikeport.sim.compare import compare
from tests.sim.loihi1 import SUM, loihi1_program, run

EDGE = 2**23


def layer(weight: Any, exp: int = 0, **changes: Any) -> Program:
    weight = np.array(weight)
    n = len(weight)
    lif = LIF("lif", (n,), **{"du": 4095, "dv": 4096, "vth": 40, "bias_mant": np.zeros(n, int), **changes})
    connection = Dense("x", "lif", weight, exp)
    return Program((lif,), (connection,), (Input("x", weight.shape[1:], "spike"),), (Output("y", "lif"),))


def test_a_sum_of_2_to_the_15_is_proven_for_strict_and_not_for_loihi1() -> None:
    for last, proven in ((127, True), (128, False)):
        program = layer([[255] * 128 + [last]])  # 32640 and the last
        assert prove(program)[0].proven
        (found,) = prove(program, "loihi1")
        assert (found["a"].interval, found.proven) == ((0, 32640 + last), proven)
    down = layer([[-255] * 128 + [-128]])
    assert prove(down, "loihi1")[0].proven and prove(down, "loihi1")[0]["a"].word == (-SUM, SUM - 1)


@pytest.mark.parametrize(("mant", "proven"), [(255, True), (256, False)])
def test_the_bias_has_to_fit_beside_the_current(mant: int, proven: bool) -> None:
    """Four sums of 2^15 - 1 until the state is cleared: u reaches 2^23 - 256, and v stops counting at each step."""
    program = Program(
        (LIF("lif", (1,), -1, 4096, 40, np.array([mant]), reset_interval=4),),
        (Dense("x", "lif", np.array([[255, 0]]), 7), Dense("x", "lif", np.array([[0, 127]]))),
        (Input("x", (2,), "spike"),),
        (Output("y", "lif"),),
    )
    (found,) = prove(program, "loihi1")
    assert found["u"].interval == (0, EDGE - 256) and found["u"].fits.all()
    assert found["u + bias"].interval == (mant, EDGE - 256 + mant)
    assert found["u + bias"].fits.all() == found.proven == proven


def test_a_convolution_has_no_word_of_its_own() -> None:
    conv = Conv("x", "lif", np.full((1, 1, 2, 2), 255), weight_exp=7)
    lif = LIF("lif", (1, 1, 1), 4095, 4096, 40, np.zeros((1, 1, 1), int))
    program = Program((lif,), (conv,), (Input("x", (1, 2, 2), "spike"),), (Output("y", "lif"),))
    assert [b.what for b in prove(program)[0].bounds] == ["sum of a convolution into u", "a", "u", "v"]
    assert [b.what for b in prove(program, "loihi1")[0].bounds] == ["a", "u", "u + bias", "v"]


def test_what_takes_a_loihi_2_has_no_proof() -> None:
    sigma = SigmaDelta("g", (1,), "sigma")
    program = Program(
        (sigma,), (Dense("x", "g", np.ones((1, 1), int)),), (Input("x", (1,), "spike"),), (Output("y", "g"),)
    )
    with pytest.raises(ProgramError, match="g: neurons under the profile loihi1"):
        prove(program, "loihi1")


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=150)
def test_where_every_layer_is_proven_loihi1_is_lava(seed: int) -> None:
    case = loihi1_program(seed, steps=25)
    found = prove(case.program, "loihi1")
    proven = all(f.proven for f in found)
    event(f"proven: {proven}")
    if not proven:
        return
    traces = run(case).traces
    assert compare(traces, run(case, "lava").traces).equal
    for f in found:
        for what in ("u", "v"):
            states = traces[f.group].state[what].reshape(-1, f[what].low.size)
            assert (states >= f[what].low).all() and (states <= f[what].high).all()
