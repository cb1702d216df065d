"""The resource model against every figure of the published compile logs."""

import numpy as np
import pytest

from spikeport.deploy.cores.loads import LOGS_2022, LOGS_2023
from spikeport.deploy.cores.words import dense_bits, kernel_bits, loihi2_words
from tests.deploy.cores.compile_logs import DOCUMENT, LOGS, account_of, compared, network

NOT_MET = {
    ("pilotnet_snn", "in", "axons_in"): 1.0,
    ("pilotnet_snn", "in", "axon_memory"): 284 / 731,
    ("pilotnet_snn", "c1", "axon_memory"): 30 / 93,
    ("pilotnet_snn", "c2", "axon_memory"): 4 / 32,
    ("pilotnet_snn", "c3", "axon_memory"): 18 / 46,
    ("pilotnet_snn", "c4", "axon_memory"): 5 / 9,
    ("pilotnet_sdnn", "c1", "axon_memory"): 30 / 93,
    ("pilotnet_sdnn", "c2", "axon_memory"): 4 / 32,
    ("pilotnet_sdnn", "c3", "axon_memory"): 18 / 46,
    ("pilotnet_sdnn", "c4", "axon_memory"): 5 / 9,
}
"""How far the model is off where it is more than 5 %. The host loads the bias of the input layer, which has no axon
here, and by graded spikes through one axon there. Axon memory before 2023 follows a rule that was not found."""


@pytest.mark.parametrize("name", LOGS)
def test_every_figure_of_a_log_is_met_within_5_percent(name: str) -> None:
    found = list(compared(LOGS[name]))
    assert len(found) >= 3 * len(LOGS[name]["rows"])
    for one in found:
        known = NOT_MET.get((one.log, one.layer, one.column))
        if known is None:
            assert one.deviation <= 0.05, one
        else:
            assert one.deviation == pytest.approx(known), one


def test_nearly_every_figure_is_met_to_its_last_digit() -> None:
    found = [one for log in LOGS.values() for one in compared(log)]
    off = {(one.log, one.layer, one.column) for one in found if one.deviation}
    assert len(found) == 178
    assert off - set(NOT_MET) == {("oxford", "f2", "synapses"), ("yolo_kp", "c10", "memory")}


def test_words_that_the_compiler_names_of_whole_layers() -> None:
    """`Violation ... reg_name='SynMem' allocation=...`, before a layer is divided."""
    for log in LOGS.values():
        for layer, words in log.get("unsplit", {}).items():
            row = next(row for row in log["rows"] if row["layer"] == layer)
            whole = loihi2_words(np.array(log["layers"][layer]), bits=row["bits"])
            assert row["axons_in"] * int(whole) == words


def test_words_that_the_compiler_names_of_half_divided_layers() -> None:
    """6 parts of 100 neurons are of 17 at most, which is still too many for 12,000 words; 12 parts are not."""
    for name in ("pilotnet_snn", "pilotnet_sdnn"):
        log = LOGS[name]
        row = next(row for row in log["rows"] if row["layer"] == "f1")
        words = [2560 * int(loihi2_words(np.array(neurons), bits=row["bits"])) for neurons in (17, 9)]
        assert words == [log["violation"]["f1"], 7680]


def test_bits_of_the_weights_that_are_known() -> None:
    log = LOGS["pilotnet_snn"]
    bits = {c.target: (kernel_bits if c.weight.ndim == 4 else dense_bits)(c.weight) for c in network(log).connections}
    assert bits == {row["layer"]: row["bits"] for row in log["rows"] if row["bits"]}


def test_total_memory_of_the_logs_is_the_sum_of_their_tables() -> None:
    """Rows of another notebook, as words: axons in, neuron groups, neurons, synapses, axon map, axon memory, Total."""
    for *words, total in DOCUMENT["totals"]["rows"]:
        assert 100 * sum(words) / 20_000 == pytest.approx(total, abs=0.0101)


def test_the_accounts_of_the_two_releases() -> None:
    assert {account_of(log) for log in LOGS.values()} == {LOGS_2022, LOGS_2023}
