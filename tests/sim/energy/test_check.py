"""An estimate beside a measurement."""

import pytest

from spikeport.errors import FileError
from spikeport.sim.energy.bounds import Bounds
from spikeport.sim.energy.check import Check, read_check
from spikeport.sim.energy.profile import profile_named
from spikeport.sim.energy.toml_section import Section

TABLE = {"what": "w", "unit": "pJ", "measured": 2.0, "low": 1.0, "nominal": 3.0, "high": 4.0, "source": "s"}


def test_off_and_within() -> None:
    check = read_check(Section("p.toml", "check[1]", TABLE))
    assert check == Check("w", "pJ", Bounds(1.0, 3.0, 4.0), 2.0, "s")
    assert (check.off, check.within) == (0.5, True)
    sentence = "w: estimated 3 pJ (1 pJ to 4 pJ), measured 2 pJ, within its bounds; the nominal is 50% above it."
    assert check.sentence == sentence


@pytest.mark.parametrize(("high", "within"), [(3.5, False), (4.0, True), (None, None)])
def test_bounds_decide(high: float | None, within: bool | None) -> None:
    assert Check("w", "ns", Bounds(1.0, 3.0, high), 4.0, "s").within is within


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"measured": 0.0}, "check[1].measured"),
        ({"measured": -1.0}, "check[1].measured"),
        ({"nominal": 5.0}, "check[1].nominal"),
        ({"unit": "J"}, "check[1].unit"),
        ({"colour": 1}, "colour"),
    ],
)
def test_bad_tables(change: dict[str, object], names: str) -> None:
    with pytest.raises(FileError, match="p.toml") as error:
        read_check(Section("p.toml", "check[1]", TABLE | change))
    assert names in str(error.value) and "\n" not in str(error.value)


def test_frady_2020_is_what_the_prices_say() -> None:
    """5.12e7 to 5.76e7 SOPs at 23.6 pJ and 4.608e6 neuron updates at 52 pJ, against 1.33 mJ."""
    profile = profile_named("loihi1-davies2018")
    sop, neuron = (profile.energy_pj[key].value.nominal for key in ("sop", "neuron_inactive"))
    check = profile.checks[0]
    low, high = (sops * sop + 4.608e6 * neuron for sops in (5.12e7, 5.76e7))
    assert (check.estimate.low, check.estimate.high) == (pytest.approx(low, rel=1e-3), pytest.approx(high, rel=1e-3))
    assert check.measured == 1.33e9
    assert f"{check.off:.1%}" == "8.9%"
    assert check.within is False
