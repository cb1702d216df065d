"""The compiler's own cores, by the rule that its logs show."""

from dataclasses import replace

import numpy as np
import pytest

from spikeport.chip import LOIHI2
from spikeport.deploy.cores import map_cores
from spikeport.deploy.cores.compiler import compiler_cuts
from spikeport.deploy.cores.loads import LOGS_2022, LOGS_2023
from tests.deploy.cores.compile_logs import LOGS, account_of, network
from tests.deploy.small_programs import row


@pytest.mark.parametrize("name", LOGS)
def test_every_layer_takes_the_cores_of_its_log(name: str) -> None:
    log = LOGS[name]
    found = compiler_cuts(network(log), account_of(log))
    assert {layer: cut.cores for layer, cut in found.items()} == {row["layer"]: row["cores"] for row in log["rows"]}
    assert sum(cut.cores for cut in found.values()) == log["cores"]


def test_tiles_are_those_of_the_logs_where_they_have_one_group_of_channels() -> None:
    for name in ("pilotnet_snn", "pilotnet_sdnn", "oxford"):
        found = compiler_cuts(network(LOGS[name]), LOGS_2022)
        for logged in LOGS[name]["rows"]:
            block = list(found[logged["layer"]].block)
            assert block == (logged["block"] if len(logged["block"]) == 3 else [*logged["block"], 1, 1])


@pytest.mark.parametrize(
    ("name", "cores"), [("pilotnet_snn", 68), ("pilotnet_sdnn", 55), ("oxford", 4), ("mnist", 5), ("yolo_kp", 574)]
)
def test_the_mapping_takes_no_more_cores_than_the_compiler(name: str, cores: int) -> None:
    assert sum(placement.cores for placement in map_cores(network(LOGS[name]), LOIHI2)) == cores <= LOGS[name]["cores"]


def test_a_layer_that_fits_stays_whole_and_one_neuron_is_never_divided() -> None:
    assert compiler_cuts(row(64, n_in=128))["g0"].cores == 1
    assert compiler_cuts(row(1, n_in=20_000))["g0"].cores == 1  # too many words, and nothing to divide
    assert compiler_cuts(row(2, n_in=16_001))["g0"].cores == 2


def test_parts_of_a_power_of_two_lose_a_neuron() -> None:
    """256 sources of 8 bits for 256 neurons are 256 * 81 words, more than 16,000: 127, 127 and 2."""
    program = row(256, n_in=256)
    heavy = program.connections[0]
    weight = np.array(heavy.weight)
    weight[0, :2] = -256, 254
    made = replace(program, connections=(replace(heavy, weight=weight),))
    assert compiler_cuts(made, LOGS_2023)["g0"].neurons.tolist() == [127, 127, 2]
