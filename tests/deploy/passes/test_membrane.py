"""One neuron under a convention as a Membrane and a gain, by hand from the conventions' equations."""

from dataclasses import replace

import numpy as np
import pytest

from spikeport.deploy.convention import NIR, PRESETS, Convention
from spikeport.deploy.nodes import CubaLI, FileNeuron, I, Membrane
from spikeport.deploy.passes.membrane import check_neuron, membrane_of
from spikeport.errors import DeployError
from tests.deploy.graphs import cuba, integrate, li, lif

DT = 1e-3
ROUNDING = 1e-12


def made(node: FileNeuron, how: Convention, **changes: object) -> tuple[Membrane, float]:
    membrane, gain = membrane_of(node, replace(how, dt_s=DT, **changes))  # type: ignore[arg-type]
    return membrane, gain.item()


def values(membrane: Membrane) -> dict[str, float]:
    names = ("keep_v", "threshold", "keep_u", "bias", "drive", "start")
    return {name: getattr(membrane, name).item() for name in names}


def close(**want: float) -> object:
    return pytest.approx({"keep_u": 0, "bias": 0, "drive": 0, "start": 0, **want}, rel=ROUNDING)


LIF = lif(1, tau=4 * DT, r=3.0, v_leak=0.5, v_threshold=2.0, v_reset=-1.0)


def test_a_lif_resets_to_zero_of_v_less_v_reset() -> None:
    """v += d (leak - v + r x) with w = v - reset: w = (1 - d) w + d (leak - reset) + d r x; w > threshold - reset."""
    membrane, gain = made(LIF, NIR)
    assert values(membrane) == close(keep_v=0.75, threshold=3, bias=0.25 * 1.5, start=1)
    assert (membrane.reset, membrane.at_threshold) == ("zero", False)
    assert gain == pytest.approx(0.75)


def test_norse_reads_neither_r_nor_v_reset_and_starts_at_the_leak() -> None:
    membrane, gain = made(LIF, PRESETS["norse"])
    assert values(membrane) == close(keep_v=0.75, threshold=2, bias=0.25 * 0.5, start=0.5)
    assert gain == pytest.approx(0.25)


def test_spikingjelly_fires_at_the_threshold_and_starts_where_it_resets() -> None:
    membrane, _ = made(LIF, PRESETS["spikingjelly"])
    assert values(membrane) == close(keep_v=0.75, threshold=3, bias=0.25 * 1.5, start=0)
    assert membrane.at_threshold


def test_snntorch_holds_what_is_kept_in_its_range() -> None:
    membrane, gain = made(lif(1, tau=0.5 * DT, r=0.5), PRESETS["snntorch"])
    assert values(membrane) == close(keep_v=0, threshold=1)
    assert gain == pytest.approx(1.0)


def test_sinabs_counts_tau_in_steps_and_decays_by_the_exponential() -> None:
    membrane, gain = made(lif(1, tau=8.0, r=3.0), PRESETS["sinabs"])
    assert values(membrane) == close(keep_v=np.exp(-1 / 8), threshold=1)
    assert (membrane.reset, membrane.at_threshold, gain) == ("subtract", True, 1)


def test_each_neuron_keeps_a_tau_of_its_own() -> None:
    neuron = lif(3)
    neuron.tau[:] = [DT, 2 * DT, 8 * DT]
    membrane, gain = membrane_of(neuron, replace(NIR, dt_s=DT))
    assert membrane.keep_v == pytest.approx(np.array([0, 0.5, 0.875]))
    assert gain == pytest.approx(np.array([1, 0.5, 0.125]))


def test_an_if_keeps_all_and_adds_dt_r_x_or_x() -> None:
    neuron = integrate(1, v_threshold=1.0, v_reset=0.25)
    membrane, gain = made(neuron, NIR)
    assert values(membrane) == close(keep_v=1, threshold=0.75, start=-0.25)
    assert gain == pytest.approx(DT * neuron.r.item())
    assert made(neuron, PRESETS["norse"])[1] == 1


def test_what_enters_a_current_has_the_gains_of_both_stages() -> None:
    """i += d_s (w x - i), v += d_m (leak - v + r i), with u = d_m r i."""
    neuron = cuba(1, tau_syn=4 * DT, tau_mem=2 * DT, r=3.0, v_leak=0.5, w_in=5.0)
    membrane, gain = made(neuron, NIR)
    assert values(membrane) == close(keep_v=0.5, threshold=1, keep_u=0.75, bias=0.25)
    assert gain == pytest.approx(0.5 * 3 * 0.25 * 5)


def test_norses_leak_charges_the_current_too() -> None:
    """i += d_s (leak - i + w x): u is charged by d_m d_s leak at every step."""
    neuron = cuba(1, tau_syn=4 * DT, tau_mem=2 * DT, v_leak=0.5)
    membrane, _ = made(neuron, PRESETS["norse"])
    assert values(membrane) == close(keep_v=0.5, threshold=1, keep_u=0.75, bias=0.25, drive=0.5 * 0.25 * 0.5, start=0.5)


def test_what_enters_sinabs_current_loses_a_steps_part_at_once() -> None:
    neuron = cuba(1, tau_syn=2.0, tau_mem=4.0)
    membrane, gain = made(neuron, PRESETS["sinabs"])
    assert membrane.keep_u.item() == pytest.approx(np.exp(-0.5))
    assert gain == pytest.approx(np.exp(-0.5))


@pytest.mark.parametrize(
    ("neuron", "keep"),
    [
        (I(np.ones(1)), 1.0),
        (li(1, tau=2 * DT), 0.5),
        (CubaLI(*(np.full(1, x) for x in (2 * DT, 2 * DT, 1, 0, 1))), 0.5),
    ],
)
def test_readouts_have_no_threshold_and_subtract_nothing(neuron: FileNeuron, keep: float) -> None:
    membrane, _ = made(neuron, NIR, reset="subtract")
    assert not membrane.fires
    assert (membrane.keep_v.item(), membrane.reset) == (keep, "zero")


def test_a_time_constant_of_one_step_in_float32_is_one_step() -> None:
    neuron = lif(1, tau=float(np.float32(0.9999999 * DT)))
    check_neuron("n", neuron, replace(NIR, dt_s=DT))
    assert made(neuron, NIR)[0].keep_v.item() == 0


@pytest.mark.parametrize(
    ("neuron", "changes", "message"),
    [
        (
            lif(1, tau=0.5e-3),
            {},
            "n: tau (0.0005) is below the step dt_s 0.001; "
            "name the step that the time constants are for; it is at most 0.0005",
        ),
        (
            cuba(1, tau_mem=0.5, tau_syn=2.0),
            {"tau_in_steps": True},
            "n: tau_mem (0.5) is below one step; name a convention whose time constants are seconds",
        ),
        (lif(1, tau=1.0, v_threshold=0.0), {}, "n: v_threshold (0.0) is not above 0; raise the threshold"),
        (
            lif(1, tau=1.0, v_threshold=1.0, v_reset=1.5),
            {},
            "n: v_threshold - v_reset (-0.5) is not above 0; raise the threshold",
        ),
        (
            lif(1, tau=1.0),
            {"reset": "subtract_once"},
            "n: reset of nir (subtract_once) is not zero, v_reset, or the threshold at once; "
            "name another with --convention, or train with a reset to zero",
        ),
        (
            cuba(1, tau_mem=1.0, tau_syn=1.0),
            {"reset": "subtract_late"},
            "n: reset of nir (subtract_late) is not zero, v_reset, or the threshold at once; "
            "name another with --convention, or train with a reset to zero",
        ),
    ],
)
def test_what_no_neuron_of_a_core_does_is_refused(neuron: FileNeuron, changes: dict[str, object], message: str) -> None:
    with pytest.raises(DeployError) as caught:
        check_neuron("n", neuron, replace(NIR, dt_s=DT, **changes))  # type: ignore[arg-type]
    assert str(caught.value) == message


def test_a_threshold_below_v_reset_is_no_matter_where_v_reset_is_not_read() -> None:
    check_neuron("n", lif(1, tau=1.0, v_reset=1.5), PRESETS["norse"])
