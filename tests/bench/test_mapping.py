"""The comparison of mappings, on the smallest network of the zoo."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spikeport.bench.sim import machine
from spikeport.chip import LOIHI2
from spikeport.commands.bench import mapping
from spikeport.commands.bench.mapping import _notes, bench_mapping, measured
from spikeport.commands.bench.zoo import Sample, names, sample
from spikeport.commands.mapping.searched import activity_of, mapped, times_of
from spikeport.deploy.cores import cores_of, map_cores
from spikeport.deploy.cores.work import inward
from spikeport.errors import FileError, InputError
from spikeport.sim.counting import count_cores
from spikeport.sim.energy import profile_named

Row = dict[str, Any]


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


@pytest.fixture(scope="module")
def row(digits: Sample) -> Row:
    return measured(digits, LOIHI2, profile_named("loihi2-estimate"))


@pytest.fixture
def seen(digits: Sample, row: Row, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The networks that are measured, all with the row of one."""
    found: list[str] = []

    def stand_in(name: str, wheel: Path | None) -> Sample:
        found.append(name)
        return replace(digits, name=name)

    monkeypatch.setattr(mapping, "sample", stand_in)
    monkeypatch.setattr(mapping, "measured", lambda one, chip, profile: {**row, "name": one.name})
    return found


def write(folder: Path, row: Row, **other: object) -> None:
    """A file of two rows with figures of their own."""
    rows = [{**row, "name": name, "neurons": 1} for name in ("digits", "lava-dl/tiny")]
    head = {"schema": mapping.SCHEMA, "machine": {**machine(), "load before": "99"}, "chip": "loihi2"}
    (folder / "mapping.json").write_text(json.dumps({**head, "profile": mapping.PROFILE, "networks": rows, **other}))


def test_rows_of_other_networks_stay_in_the_order_of_the_zoo(tmp_path: Path, row: Row, seen: list[str]) -> None:
    write(tmp_path, row)
    found = bench_mapping(["lava-dl/mnist", "digits"], quick=False, wheel=None, output=tmp_path)
    rows = [(one["name"], one["neurons"]) for one in found.data["networks"]]
    assert rows == [("digits", 1636), ("lava-dl/mnist", 1636), ("lava-dl/tiny", 1)]
    assert seen == ["lava-dl/mnist", "digits"]
    assert any(note.startswith("1 of another network as in the file") for note in found.notes)
    assert json.loads((tmp_path / "mapping.json").read_text()) == found.data
    assert {file.name for file in tmp_path.iterdir()} == {"mapping.json", "mapping.md"}


@pytest.mark.parametrize("head", [{"schema": "other/1"}, {"chip": "loihi1"}, {"machine": {"cpu": "other"}}])
def test_rows_of_something_else_are_left_as_they_are(tmp_path: Path, row: Row, head: dict[str, object]) -> None:
    write(tmp_path, row, **head)
    before = (tmp_path / "mapping.json").read_bytes()
    with pytest.raises(InputError, match="measure all networks anew"):
        bench_mapping(["digits"], quick=False, wheel=None, output=tmp_path)
    assert (tmp_path / "mapping.json").read_bytes() == before


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"networks": 3}'])
def test_a_file_that_is_no_table_is_left_as_it_is(tmp_path: Path, text: str) -> None:
    (tmp_path / "mapping.json").write_text(text)
    with pytest.raises(FileError, match="is no table of mappings"):
        bench_mapping(["digits"], quick=False, wheel=None, output=tmp_path)
    assert (tmp_path / "mapping.json").read_text() == text


def test_large_pictures_come_last_and_all_are_measured_anew(tmp_path: Path, row: Row, seen: list[str]) -> None:
    write(tmp_path, row)
    found = bench_mapping([], quick=False, wheel=None, output=tmp_path)
    assert [one["name"] for one in found.data["networks"]] == list(names())
    assert {one["neurons"] for one in found.data["networks"]} == {1636}
    assert sorted(seen) == sorted(names())
    assert seen[0].startswith("lava-dl/") and "imagenet" in seen[-1]


def test_a_row_that_is_no_better_says_how_good_it_could_be(row: Row) -> None:
    assert row["least_ns"] <= row["searched"]["busiest_ns"]
    worse = {**row, "lower": False, "least_ns": 1234.0}
    data = {"machine": {}, "chip": "loihi2", "profile": "p", "networks": [worse]}
    (note,) = (note for note in _notes(data) if note.startswith("digits: on 3 cores"))
    assert note.endswith("can have below 1.234 µs")


def test_of_a_mapping_on_many_cores_the_means_are_taken(
    digits: Sample, row: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Digits sends no message, and a mean over steps of the longer phase is no less than the longer of two means."""
    monkeypatch.setattr(mapping, "COUNTED", row["naive"]["cores"] - 1)
    means = measured(digits, LOIHI2, profile_named("loihi2-estimate"))
    assert (row["counted"], means["counted"]) == (True, False)
    for way in mapping.WAYS:
        assert 0.9 * row[way]["busiest_ns"] < means[way]["busiest_ns"] <= row[way]["busiest_ns"] * (1 + 1e-9)
        assert row[way]["hops"] == means[way]["hops"]


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
