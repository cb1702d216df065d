"""What a layer did, by quantity, against the hand's count."""

from fractions import Fraction

from spikeport.sim.energy.terms import QUANTITIES, quantities
from tests.sim.energy.hand import HOST_MACS, SPIKES, hand_activity, hand_counts


def amounts(mapped: bool) -> dict[str, dict[str, Fraction]]:
    counts, activity = hand_counts(), hand_activity() if mapped else None
    return {
        layer.name: {q.name: q.amount for q in quantities(layer, counts, activity) if q.counted}
        for layer in counts.layers
    }


def test_amounts_are_those_of_one_inference() -> None:
    found = amounts(mapped=False)
    half = Fraction(1, 2)
    assert found["a"] == {"host_macs": HOST_MACS, "neuron_updates": 16 * 2, "spikes": SPIKES * half}
    assert found["b"] == {"sops": SPIKES * 2 * half, "neuron_updates": 2 * 2, "spikes": half}


def test_active_and_inactive_neurons_add_up_to_all_updates() -> None:
    counts = hand_counts()
    for layer in counts.layers:
        neurons = next(q for q in quantities(layer, counts, None) if q.name == "neuron_updates")
        by_state, by_work, access = neurons.ways
        assert sum(line.amount for line in by_state) == by_work[0].amount == access[0].amount
        assert by_work[1].amount == by_state[0].amount
    # b hears spikes at one step of each sample, which is both of its neurons
    assert counts.layers[1].active == 2 + 2


def test_messages_and_hops_are_unknown_without_cores() -> None:
    counts = hand_counts()
    unknown = {q.name for q in quantities(counts.layers[0], counts, None) if not q.counted}
    assert unknown == {"messages", "hops"}


def test_with_cores_each_spike_is_one_message_to_each_core() -> None:
    found = amounts(mapped=True)
    assert found["a"]["messages"] == Fraction(SPIKES, 2)  # b is on one core
    assert "hops" not in found["a"]  # within a tile
    assert "messages" not in found["b"]  # nobody listens to b


def test_every_quantity_has_words() -> None:
    counts = hand_counts()
    names = {q.name for layer in counts.layers for q in quantities(layer, counts, hand_activity())}
    assert names <= QUANTITIES.keys()
