"""Prices: the first way that a profile knows, and nothing that has no price becomes zero."""

from fractions import Fraction

import pytest

from spikeport.sim.energy.bounds import Bounds
from spikeport.sim.energy.price import Unpriced, price_of, unpriced_of
from spikeport.sim.energy.profile import Profile, parse_profile
from spikeport.sim.energy.terms import Line, Quantity


def profile(scope: str = "per_term", **prices: float) -> Profile:
    head = f'[profile]\nname = "p"\ntitle = "t"\nscope = "{scope}"\n'
    body = "".join(
        f'[energy_pj.{key}]\nnominal = {value}\nlow = {value / 2}\nevidence = "assumed"\nsource = "s"\n'
        for key, value in prices.items()
    )
    return parse_profile("p.toml", (head + body).encode())


def one(name: str, amount: int, *prices: str) -> Quantity:
    return Quantity(name, ((Line(Fraction(amount), prices),),))


NEURONS = Quantity(
    "neuron_updates",
    (
        (Line(Fraction(3), ("neuron_active",)), Line(Fraction(7), ("neuron_inactive",))),
        (Line(Fraction(10), ("neuron_access",)), Line(Fraction(3), ("neuron_update",))),
        (Line(Fraction(10), ("neuron_access",)),),
    ),
)


@pytest.mark.parametrize(
    ("prices", "nominal"),
    [
        ({"neuron_active": 2.0, "neuron_inactive": 1.0}, 13.0),
        ({"neuron_access": 2.0, "neuron_update": 5.0}, 35.0),
        ({"neuron_access": 2.0}, 20.0),
    ],
)
def test_neurons_are_priced_as_the_profile_cuts_the_work(prices: dict[str, float], nominal: float) -> None:
    assert price_of(NEURONS, profile(**prices)) == Bounds(nominal / 2, nominal, None)


def test_half_a_way_is_no_price() -> None:
    assert price_of(NEURONS, profile(neuron_active=2.0)) is None
    assert price_of(NEURONS, profile(sop=2.0)) is None


def test_the_price_of_a_kind_goes_before_that_of_all() -> None:
    sops = one("sops", 4, "sop_conv", "sop", "ac")
    assert price_of(sops, profile(sop_conv=3.0, sop=5.0)) == Bounds(6.0, 12.0, None)
    assert price_of(sops, profile(sop_dense=3.0, sop=5.0)) == Bounds(10.0, 20.0, None)
    assert price_of(sops, profile(ac=1.0)) == Bounds(2.0, 4.0, None)
    assert price_of(sops, profile(sop_dense=3.0)) is None


def test_what_nobody_counted_has_no_price() -> None:
    unknown = Quantity("messages", ((Line(Fraction(0), ("message",)),),), counted=False)
    assert price_of(unknown, profile(message=1.0)) is None


def test_what_is_left_out_is_added_up_by_name() -> None:
    unknown = Quantity("hops", ((Line(Fraction(0), ("hop_x",)),),), counted=False)
    left = unpriced_of([one("spikes", 2, "spike_out"), one("spikes", 3, "spike_out"), unknown, unknown])
    assert left == (Unpriced("spikes", Fraction(5)), Unpriced("hops", None))
    assert [str(found) for found in left] == ["spikes sent (5)", "hops between tiles (not counted)"]
