"""The recorded comparison with a chip, and what the shipped profile says of it."""

import json
from pathlib import Path

import pytest

from spikeport.chip import LOIHI2
from spikeport.commands.bench.energy import DYNAMIC_PJ, STEP_NS, bench_energy, pilotnet
from spikeport.commands.conformance.pilotnet import one_inference
from spikeport.commands.conformance.recordings import WHEEL, open_recordings
from spikeport.deploy.cores.compiler import compiler_cuts
from spikeport.deploy.cores.loads import LOGS_2022, loads
from spikeport.deploy.lava_env import cache_folder
from spikeport.sim.energy import Bounds, profile_named
from tests.deploy.cores.compile_logs import LOGS

RECORDED = Path(__file__).parents[2] / "benchmarks" / "energy.json"
CACHED = (cache_folder() / WHEEL).is_file()


def recorded() -> dict[str, Bounds]:
    """What `loihi2-estimate` makes of PilotNet-LIF, as the benchmark wrote it."""
    found = next(e for e in json.loads(RECORDED.read_text())["pilotnet"] if e["profile"]["name"] == "loihi2-estimate")
    return {"pJ": Bounds(**found["totals"]["chip_pj"]), "ns": Bounds(**found["latency"]["step_ns"]["mean"])}


def test_the_estimate_brackets_what_intel_measured_and_the_profile_says_how_far_off_it_is() -> None:
    checks = {check.unit: check for check in profile_named("loihi2-estimate").checks}
    assert (checks["pJ"].measured, checks["ns"].measured) == (DYNAMIC_PJ, STEP_NS)
    for unit, estimate in recorded().items():
        check = checks[unit]
        assert check.within is True
        for name in ("low", "nominal", "high"):
            assert getattr(check.estimate, name) == pytest.approx(getattr(estimate, name), rel=1e-6)
    assert f"{checks['pJ'].off:+.0%} {checks['ns'].off:+.0%}" == "+23% -40%"


@pytest.mark.skipif(not CACHED, reason=f"{WHEEL} is not in the cache; spikeport bench energy fetches it")
def test_the_recording_is_what_comes_out_now() -> None:
    (energy,) = pilotnet(None, ("loihi2-estimate",))
    assert energy.latency is not None
    now = {"pJ": energy.chip, "ns": energy.latency.step_ns["mean"]}
    for unit, estimate in recorded().items():
        assert now[unit].nominal == pytest.approx(estimate.nominal, rel=1e-12)


@pytest.mark.skipif(not CACHED, reason=f"{WHEEL} is not in the cache; spikeport bench energy fetches it")
def test_the_benchmark_runs_and_writes_both_files(tmp_path: Path) -> None:
    answer = bench_energy(quick=True, wheel=None, output=tmp_path)
    assert {row[0] for row in answer.rows} == {"dynamic energy per inference", "time per step"}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["energy.json", "energy.md"]
    assert {row["case"] for row in json.loads((tmp_path / "energy.json").read_text())["counting"]} == {
        *("mlp", "mnist", "pilotnet")
    }


@pytest.mark.skipif(not CACHED, reason=f"{WHEEL} is not in the cache; spikeport bench energy fetches it")
def test_the_published_network_asks_for_the_cores_and_words_of_its_compile_log() -> None:
    """Weights and shapes are those of the file, and no figure of the log goes in."""
    program, _ = one_inference(open_recordings(None))
    found = compiler_cuts(program, LOGS_2022)
    for logged, group in zip(LOGS["pilotnet_snn"]["rows"], program.groups, strict=True):
        needed = loads(program, LOIHI2, group.name, found, account=LOGS_2022)
        assert found[group.name].cores == logged["cores"]
        for column, resource in (("synapses", "synapses"), ("axon_map", "axons out"), ("neurons", "neurons")):
            assert int(needed[resource].mean()) == logged[column], (group.name, column)
