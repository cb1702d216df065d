"""The page parses, needs nothing from outside, escapes names, and is the same each time."""

import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spikeport.errors import FileError, InputError
from spikeport.program import LIF, Conv, Dense, Encoder, Input, Output, Program
from spikeport.sim import simulate
from spikeport.sim.counting import count_operations
from spikeport.sim.energy import estimate_energy
from spikeport.sim.report import (
    LAYER_COLUMNS,
    Accuracy,
    LavaCheck,
    ReportData,
    Stage,
    headline_rows,
    layer_rows,
    render_report,
    write_report,
)
from tests.html_page import Page, assert_stands_alone

SECTIONS = ["headline", "pipeline", "raster", "rates", "sops", "energy", "layers", "caveats", "reproduce"]


def program(kind: str = "bias") -> Program:
    rng = np.random.default_rng(0)
    groups = (
        LIF("conv1", (2, 6, 6), 4095, 400, 5, np.zeros((2, 6, 6), np.int64), reset_interval=8, reset_offset=1),
        LIF("out", (4,), 4095, 400, 20, np.zeros(4, np.int64), reset_interval=8, reset_offset=2),
    )
    conv = Conv("x", "conv1", rng.integers(-2, 6, (2, 1, 3, 3)) * 10, padding=(1, 1))
    dense = Dense("conv1", "out", rng.integers(-2, 4, (4, 72)) * 2, weight_exp=1)
    outputs = (Output("o", "out", 4),)
    if kind == "spike":
        bare = tuple(replace(g, reset_interval=0) for g in groups)
        return Program(bare, (conv, dense), (Input("x", (1, 6, 6), "spike"),), outputs, latency=2)
    encoder = Encoder(conv, np.zeros((2, 6, 6), np.int64))
    return Program(
        groups, (dense,), (Input("x", (1, 6, 6), "bias", 0, 9),), outputs, (encoder,), 1, nir_sha256="5" * 64
    )


def plain(kind: str = "bias", steps: int = 6) -> ReportData:
    """What a Program and an input alone can fill."""
    net = program(kind)
    x = np.random.default_rng(1).integers(0, 2, (1, 3, 1, 6, 6)).repeat(steps, axis=0)
    result = simulate(net, x)
    counts = count_operations(net, result)
    return ReportData("net.h5", net, result, counts, (estimate_energy(counts),))


def full() -> ReportData:
    data = plain()
    return replace(
        data,
        title="Digits & <script>alert(1)</script>",
        energies=(*data.energies, estimate_energy(data.counts, "cmos45-int8")),
        lava=LavaCheck(compared=12_345),
        float_accuracy=Accuracy(98, 100),
        quantized_accuracy=Accuracy(97, 100),
        simulator_accuracy=Accuracy(97, 100),
        stages=(Stage("train <1>", "run.pt", "a" * 64, "3 epochs"), Stage("export", "net.nir", "b" * 64)),
        sample=2,
        sample_note='A "7" & nothing else',
        image=np.arange(36).reshape(6, 6),
        command="spikeport run <net.h5> && echo 'done'",
    )


@pytest.mark.parametrize("data", [plain(), plain("spike"), full()], ids=["plain", "spiking input", "full"])
def test_page_is_whole_and_needs_nothing(data: ReportData) -> None:
    html = render_report(data)
    page = Page(html)
    assert [name for name in SECTIONS if name not in page.ids] == []
    assert page.tags.count("svg") == 5
    assert_stands_alone(html)
    assert len(html.encode()) < 3_000_000


def test_names_are_escaped_and_shown() -> None:
    html = render_report(full())
    assert "<script" not in html
    text = Page(html).text
    for shown in ("Digits & <script>", "train <1>", 'A "7" & nothing', "run <net.h5> && echo 'done'", "a" * 64):
        assert shown in text


def test_same_bytes_each_time(tmp_path: Path) -> None:
    for name in ("a.html", "b.html"):
        write_report(tmp_path / name, full())
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.html", "b.html"]


def test_many_steps_and_neurons_stay_small() -> None:
    shape = (64, 40, 40)
    net = Program(
        (LIF("big", shape, 0, 0, 1, np.zeros(shape, np.int64)),),
        (Conv("x", "big", np.ones((64, 2, 1, 1), np.int64)),),
        (Input("x", (2, 40, 40), "spike"),),
        (Output("o", "big"),),
        latency=1,
    )
    rng = np.random.default_rng(0)
    sent = {"x": rng.integers(0, 2, (301, 1, 3200)), "big": rng.integers(0, 2, (301, 1, 102_400), dtype=np.uint8)}
    result = replace(plain().result, spikes=sent["big"][1:], latency=1, sent=sent)
    counts = count_operations(net, result)
    assert len(render_report(ReportData("big", net, result, counts, (estimate_energy(counts),)))) < 3_000_000


def test_alt_texts_name_what_is_drawn() -> None:
    html = render_report(plain())
    labels = re.findall(r'role="img" aria-label="([^"]*)"', html)
    assert len(labels) == 5
    assert "conv1, out" in labels[1]
    assert labels[4].startswith("Estimated energy per inference: SNN")


def test_headline_of_a_plain_run_leaves_accuracies_out() -> None:
    rows = {name: value for name, value, _ in headline_rows(plain())}
    assert not any("accuracy" in name for name in rows)
    assert rows["Lava"] == "Lava was not compared: no comparison was asked for"
    assert rows["MACs of the ANN"] == f"{2 * 36 * 9 + 4 * 72:,}"


def test_headline_of_a_full_run() -> None:
    rows = {name: value for name, value, _ in headline_rows(full())}
    assert rows["Float accuracy"] == "98.00% (98 of 100)"
    assert rows["Lava"] == "0 of 12,345 values differ"
    assert [name for name in rows if name.startswith("Energy")] == ["Energy, cmos45-fp32", "Energy, cmos45-int8"]
    assert str(LavaCheck(10, 3)) == "3 of 10 values differ"
    assert str(LavaCheck(reason="no Python 3.10")) == "Lava was not compared: no Python 3.10"


def test_layer_rows_match_the_counts() -> None:
    data = plain()
    rows = [dict(zip(LAYER_COLUMNS, row, strict=True)) for row in layer_rows(data.program, data.counts)]
    assert [row["Layer"] for row in rows] == ["conv1", "out"]
    assert (rows[0]["Host MACs"], rows[0]["Input rate"], rows[1]["Synapses"]) == ("648", "–", "288")
    assert rows[1]["Weights"] == "-4 to 6 × 2^1"
    assert float(rows[1]["SOPs"].replace(",", "")) == pytest.approx(data.counts.sops / 3, abs=0.05)


@pytest.mark.parametrize("image", [np.ones((3, 5, 5)), np.arange(50.0).reshape(2, 5, 5), np.arange(4)])
def test_images_of_any_kind(image: np.ndarray) -> None:
    Page(render_report(replace(plain(), image=image)))


def test_silent_network_is_drawn() -> None:
    data = plain()
    silent = replace(data.result, sent={n: np.zeros_like(x) for n, x in data.result.sent.items()})
    counts = count_operations(data.program, silent)
    Page(render_report(ReportData("s", data.program, silent, counts, (estimate_energy(counts),))))


def test_bad_values_are_refused() -> None:
    with pytest.raises(InputError, match=r"sample \(3\) is not in \[0, 3\)"):
        replace(plain(), sample=3)
    with pytest.raises(InputError, match="energies"):
        replace(plain(), energies=())
    with pytest.raises(InputError, match="accuracy"):
        Accuracy(0, 0)


def test_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot be written"):
        write_report(tmp_path / "missing" / "r.html", plain())
    os.mkdir(tmp_path / "folder")
    with pytest.raises(FileError, match="cannot be written"):
        write_report(tmp_path / "folder", plain())
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]


def test_the_membrane_that_is_read_is_drawn_in_place_of_spikes_that_there_are_not() -> None:
    net = program()
    out = replace(net.groups[1], vth=131071)
    net = replace(net, groups=(net.groups[0], out), outputs=(Output("o", "out", 4, reads="v"),))
    result = simulate(net, np.random.default_rng(1).integers(0, 2, (1, 3, 1, 6, 6)).repeat(6, axis=0))
    counts = count_operations(net, result)
    page = render_report(ReportData("net.h5", net, result, counts, (estimate_energy(counts),)))
    best = int(result.outputs["o"][:, 0].sum(axis=0).argmax())
    assert "v of out" in page and f"4 classes, the largest mean is that of {best}" in page
    assert "4, 0 spikes" not in page
