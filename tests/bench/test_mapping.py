"""The comparison of mappings, on the smallest network of the zoo."""

import json
from pathlib import Path

import numpy as np
import pytest

from spikeport.chip import LOIHI2
from spikeport.commands.bench.mapping import bench_mapping
from spikeport.commands.bench.zoo import Sample, names, sample
from spikeport.commands.mapping.searched import activity_of, mapped, times_of
from spikeport.deploy.cores import cores_of, map_cores
from spikeport.deploy.cores.work import inward
from spikeport.errors import InputError
from spikeport.sim.counting import count_cores
from spikeport.sim.energy import profile_named


@pytest.fixture(scope="module")
def digits() -> Sample:
    return sample("digits")


def test_a_row_beats_the_naive_mapping_and_is_written(tmp_path: Path) -> None:
    found = bench_mapping(["digits"], quick=False, wheel=None, output=tmp_path)
    assert json.loads((tmp_path / "mapping.json").read_text()) == found.data
    assert (tmp_path / "mapping.md").read_text().startswith("| network")
    (one,) = found.data["networks"]
    assert (one["fewer"], one["lower"]) == (True, True)
    assert one["least_cores"] <= one["searched"]["cores"] < one["naive"]["cores"]
    assert one["searched"]["busiest_ns"] < one["naive"]["busiest_ns"]


def test_an_unknown_network_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"network \(nonet\) is not one of"):
        bench_mapping(["nonet"], quick=False, wheel=None, output=tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_the_zoo_has_every_kind_of_network_once() -> None:
    found = names()
    assert len(set(found)) == len(found)
    assert {"digits", "dalif-resnet19-cifar10", "esvae-fashion/encoder", "taid-fashion/decoder"} <= set(found)
    assert not {"dalif-resnet19-cifar10-t1", "taid-fashion/encoder", "ann-vae-fashion"} & set(found)
    assert sum(name.startswith("lava-dl/") for name in found) == 5


def test_the_activity_of_a_run_gives_the_times_of_its_count(digits: Sample) -> None:
    """Without messages, means over steps of every block alone are those of the exact count."""
    profile = profile_named("loihi2-estimate")
    activity, start = activity_of(digits.program, digits.result, profile), map_cores(digits.program, LOIHI2)
    alone = type(start)(LOIHI2, start.placements, np.arange(len(start.seats)))
    counted = count_cores(digits.program, digits.result, cores_of(alone, LOIHI2))
    found = np.concatenate([inward(digits.program, activity, p.group, p.cut) for p in start], axis=1)
    assert np.allclose(found[1], counted.all_sops.mean(axis=0) * 0.7)
    assert activity.times == times_of(profile)
    spikes = sum(float(np.sum(activity.rates[p.group])) for p in start)
    assert np.isclose(spikes, counted.spikes.sum() / counted.rows)
    assert np.isclose(
        found[0].sum(), (2.65 * counted.neurons + 1.55 * counted.active + 3 * counted.spikes).mean(axis=0).sum()
    )


def test_a_better_start_is_kept(digits: Sample) -> None:
    profile = profile_named("loihi2-estimate")
    first = mapped(digits.program, LOIHI2, digits.result, profile)
    again = mapped(digits.program, LOIHI2, digits.result, profile, start=first)
    assert again.cores <= first.cores
