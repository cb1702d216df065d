"""The report's figures against counts in plain loops and by hand."""

import hashlib
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spikeport.commands.compiling.gap import Gap
from spikeport.commands.mapping.design import mapped
from spikeport.commands.report import accuracy, layers
from spikeport.commands.report.accuracy import waterfall_figure
from spikeport.commands.report.beside import beside_run
from spikeport.commands.report.blocks import Facts, Grid, Picture, Words
from spikeport.commands.report.conformed import LAVA, OWN, parts_of
from spikeport.commands.report.confusion import confusion, confusion_section, counted
from spikeport.commands.report.known import Compared, Known
from spikeport.commands.report.observed import observe
from spikeport.commands.report.of_program import gap_of, known_of
from spikeport.commands.report.overview import overview
from spikeport.commands.report.rasters import image_of
from spikeport.commands.report.sections import sections
from spikeport.commands.report.traces import keys_of, pick, traces_figure
from spikeport.commands.running import counted as counting
from spikeport.commands.samples import Samples, write_result
from spikeport.errors import FileError
from spikeport.page import drawing
from spikeport.program import LIF, Dense, Program, Resonator, SigmaDelta
from spikeport.program_file import load_program, save_program
from spikeport.sim import Trace, simulate
from tests.reports import arrays, of_kind, program

GIVEN = arrays()


def block(known: Known, section: str, kind: type, caption: str = ""):  # type: ignore[no-untyped-def]
    (found,) = (one for one in sections(known) if one.name == section)
    return next(one for one in found.blocks if isinstance(one, kind) and getattr(one, "caption", "") == caption)


def rows(grid: Grid) -> list[dict[str, str]]:
    return [dict(zip(grid.columns, row, strict=True)) for row in grid.rows]


def test_what_a_layer_is_stands_in_its_row() -> None:
    conv1, out = rows(block(of_kind("bias"), "layers", Grid, "What each layer is"))
    assert conv1 == {
        "layer": "conv1", "neurons": "72", "shape": "2 × 6 × 6", "kind": "LIF", "weights": "18",
        "mantissas": "-20 to 50 on the host", "decays": "du 4,095, dv 400", "threshold": "5",
        "cleared, steps": "every 8", "|v| at most": conv1["|v| at most"],
    }  # fmt: skip
    assert out["mantissas"] == "-4 to 6 × 2^1"
    assert conv1["|v| at most"].endswith("%")


def test_what_a_layer_did_is_what_the_simulator_sent() -> None:
    net = program()
    sent = simulate(net, GIVEN["spikes"]).sent
    for row in rows(block(of_kind("bias"), "layers", Grid, "What each layer did")):
        first = net.group(row["layer"]).reset_offset - 1
        s = sent[row["layer"]][first : first + 6]
        silent = always = 0
        for neuron in range(s.shape[2]):
            silent += all(s[t, b, neuron] == 0 for t in range(len(s)) for b in range(3))
            always += all(s[t, b, neuron] == 1 for t in range(len(s)) for b in range(3))
        assert row["rate"] == f"{s.mean():.2%}"
        assert (row["never fired"].split()[0], row["fired at every step"].split()[0]) == (str(silent), str(always))


def test_what_integrates_is_not_said_to_be_silent() -> None:
    net = program()
    net = replace(net, groups=(net.groups[0], replace(net.groups[1], vth=131071)))
    net = replace(net, outputs=(replace(net.outputs[0], reads="v"),))
    found = mapped(net, net.chip)
    ran = observe(found, Samples(Path("x.npz"), {"x": GIVEN["spikes"]}, None), 3)
    did = rows(block(known_of(found, ran, "n", "n"), "layers", Grid, "What each layer did"))
    assert did[1]["never fired"] == "–" and did[0]["never fired"] != "–"
    best = simulate(net, GIVEN["spikes"][:, :1]).outputs["o"][:, 0].sum(axis=0).argmax()
    drawn = next(one for one in sections(known_of(found, ran, "n", "n")) if one.name == "rasters").blocks[1]
    assert f"largest mean: class {best}" in drawn.blocks[1].drawn  # type: ignore[union-attr]


def test_a_layer_that_may_overflow_is_said_to() -> None:
    net = program("spike")
    group = LIF("out", (4,), -1, 0, 131071, np.zeros(4, np.int64))  # adds up for ever
    found = mapped(replace(net, groups=(net.groups[0], group)), net.chip)
    section = layers.layers(found.program, None)
    assert rows(section.blocks[1])[1]["|v| at most"] == "over 1,000%, may overflow"  # type: ignore[arg-type]
    assert any(isinstance(one, Words) and one.text.startswith("1 layer may overflow") for one in section.blocks)


def test_a_run_in_chunks_is_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    net = program()
    found, samples = mapped(net, net.chip), Samples(Path("x.npz"), {"x": GIVEN["spikes"]}, GIVEN["labels"])
    whole = observe(found, samples, 3)
    monkeypatch.setattr(counting, "CHUNK_BYTES", 1)
    parts = observe(found, samples, 3)
    assert whole.counts == parts.counts and whole.outputs == parts.outputs
    assert all(np.array_equal(whole.fired[name], parts.fired[name]) for name in whole.fired)
    result = simulate(net, GIVEN["spikes"])
    raw = b"".join(np.ascontiguousarray(result.spikes[:, b], "<i8").tobytes() for b in range(3))
    assert whole.outputs == hashlib.sha256(raw).hexdigest()
    answers = [int(result.spikes[:, b].sum(axis=0).argmax()) for b in range(3)]
    assert whole.answers is not None and whole.answers.tolist() == answers
    assert whole.right == sum(a == b for a, b in zip(answers, GIVEN["labels"], strict=True))


def test_a_confusion_matrix_counts_each_sample_once() -> None:
    labels, answers = np.array([0, 0, 1, 2, 10**15, -1]), np.array([0, 1, 1, 0, 1, 1])
    counts = counted(answers, labels, 3)
    assert counts.tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 0]]
    known = of_kind("bias")
    assert known.ran is not None
    samples = replace(known.ran.samples, labels=np.array([-1, 10**15, 0]))
    words = confusion(replace(known.ran, samples=samples)).blocks[0]
    assert "on 1 sample. 2 more have a label that is none of the 4 classes" in words.text  # type: ignore[union-attr]
    picture, mistakes = confusion_section(counts, "answers").blocks[1].blocks  # type: ignore[union-attr]
    assert picture.described.startswith("2 of 4 samples are on the diagonal.")
    assert mistakes.rows == [("0, taken for 1", "1 of 2"), ("2, taken for 0", "1 of 1")]


def test_the_neuron_that_is_drawn_fired_in_nearest_to_half_of_the_steps() -> None:
    s = np.array([[1, 1, 0, 0, 1], [1, 0, 0, 1, 0], [1, 1, 0, 0, 1], [1, 0, 0, 1, 0]])[:, None]
    v = np.zeros_like(s)
    assert pick(Trace({"u": v, "v": v}, s)) == 1
    v = v.copy()
    v[2, 0, 4] = -7
    assert pick(Trace({"u": v, "v": v}, s)) == 4


def test_an_image_of_any_shape_is_drawn() -> None:
    for shape, drawn in (((3, 5, 4), (5, 4, 3)), ((2, 5, 4), (5, 4)), ((7,), (3, 3)), ((1, 600, 900), (150, 150))):
        group = LIF("g", (1,), 0, 0, 1, np.zeros(1, np.int64))
        net = program("spike")
        entry = replace(net.inputs[0], shape=shape)
        net = Program((group,), (), (entry,), (replace(net.outputs[0], source="g", classes=0),))
        one = simulate(net, np.ones((2, 1, *shape), np.int64))
        assert image_of(net, one).shape[:2] == drawn[:2], shape


@pytest.fixture
def gap() -> Gap:
    made = Gap(reads_v=False, labelled=True)
    for stage, right in zip(made.stages.values(), (9, 9, 8, 8, 9, 7), strict=True):
        stage.right, stage.samples, stage.values, stage.differing = right, 10, 100.0, 3.0
    return made


def test_the_waterfall_says_every_stage(gap: Gap) -> None:
    section = accuracy.accuracy(replace(of_kind("bias"), gap=gap))
    picture, table = section.blocks[2].blocks  # type: ignore[union-attr]
    assert isinstance(picture, Picture)
    assert picture.described == ("float 90.00%; folded 90.00%; weights 80.00%; decays 80.00%; thresholds 90.00%; "
                                 "integer 70.00%")  # fmt: skip
    assert [row[2] for row in table.rows] == ["", "+0.00", "-10.00", "+0.00", "+10.00", "-20.00"]
    gap.labelled = False
    waterfall_figure(list(gap.stages.values()), False, True)  # v, and no labels


def test_a_recorded_run_is_compared_value_by_value(tmp_path: Path) -> None:
    net, path = program(), tmp_path / "net.h5"
    save_program(net, path)
    samples = Samples(tmp_path / "x.npz", {"x": GIVEN["spikes"]}, None)
    result = simulate(net, GIVEN["spikes"], record=["conv1", "out"])
    values = result.traces["conv1"].s.size + result.traces["out"].s.size
    for name in ("y.npz", "y.h5"):
        write_result(tmp_path / name, net, result)
        same = beside_run(tmp_path / name, load_program(path), path, samples)
        assert (same.values, same.differing, same.first) == (values, 0, "")
    with np.load(tmp_path / "y.npz") as file:
        kept = dict(file)
    kept["out/s"][3, 1, 2] ^= 1
    np.savez(tmp_path / "z.npz", **kept)
    other = beside_run(tmp_path / "z.npz", net, path, samples)
    assert other.differing == 1 and other.first.startswith("step 4, out, sample 1, neuron 2")
    short = Samples(samples.path, {"x": GIVEN["spikes"][:, :2]}, None)
    with pytest.raises(FileError, match="7 steps, 3 samples.* is not that of the input: 7 steps of at most 2 samples"):
        beside_run(tmp_path / "y.npz", net, path, short)
    with pytest.raises(FileError, match="another Program"):
        beside_run(tmp_path / "y.npz", replace(net, dt_s=1e-3), path, samples)


def test_figures_that_stand_beside_are_in_the_overview() -> None:
    compared = [Compared("Lava", "all", 10, 2, first="step 1"), Compared("a board", "", missing="there is none")]
    facts = overview(replace(of_kind("bias"), compared=compared)).blocks[0]
    assert isinstance(facts, Facts)
    found = {name: value for name, value, _ in facts.rows}
    assert found["Lava and simulator"] == "2 of 10 values differ"
    assert found["A board and simulator"] == "not compared: there is none"


def test_another_graph_gives_no_waterfall(tmp_path: Path) -> None:
    (tmp_path / "other.nir").write_bytes(b"other")
    gap, why = gap_of(tmp_path / "other.nir", program(), of_kind("bias").ran)
    assert gap is None and "is not the file that this Program was compiled from" in why
    assert gap_of(tmp_path / "other.nir", program(), None)[1].startswith("For the gap waterfall give samples")


def test_parts_without_a_model_in_lava_are_not_said_to_be_held_against_it() -> None:
    net = program("spike")
    group = replace(net.groups[0], reset="subtract", refractory_steps=2)
    held = dict(parts_of(replace(net, groups=(group, net.groups[1]))))
    assert held["LIF neurons with soft reset"] == OWN
    assert held["refractory period"].startswith(OWN)
    assert held["LIF neurons"].startswith(LAVA)


def test_layers_that_never_fired_are_warned_of() -> None:
    net = program("spike")
    mute = replace(net, groups=(replace(net.groups[0], vth=100_000), net.groups[1]))
    found, samples = mapped(mute, mute.chip), Samples(Path("x.npz"), {"x": GIVEN["spikes"]}, None)
    assert known_of(found, observe(found, samples, 3), "n", "n").warnings == [
        "No neuron of conv1, out fired on these samples."
    ]
    assert of_kind("spike").warnings == []
    many = tuple(replace(net.groups[1], name=f"g{k}") for k in range(9))
    wide = Program(many, (), net.inputs, (replace(net.outputs[0], source="g0"),))
    found = mapped(wide, wide.chip)
    (said,) = known_of(found, observe(found, samples, 3), "n", "n").warnings
    assert said == "No neuron of g0, g1, g2, g3, g4, g5, 3 more layers fired on these samples."


def test_keys_of_traces_name_the_states_that_are_drawn() -> None:
    lif = program("spike").groups[0]
    rf = Resonator("r", (2,), "rf", 5, 100, 3000)
    delta = SigmaDelta("d", (2,), "sigma_delta")
    assert [words for words, _ in keys_of([lif])] == ["v", "u, dashed", "threshold, dotted", "▾ spike"]
    assert [words for words, _ in keys_of([rf])] == ["re", "im, dashed", "▾ spike"]
    assert [words for words, _ in keys_of([lif, rf, delta])] == [
        "v, re, sigma", "u, im, act, dashed", "residue, dash-dotted", "threshold, dotted", "▾ spike"]  # fmt: skip


def test_traces_of_states_that_are_constant_or_large_have_whole_numbers_beside_them() -> None:
    for vth, x in ((100_000, GIVEN["spikes"]), (5, GIVEN["spikes"] * 0)):
        net = program("spike")
        net = replace(net, groups=tuple(replace(group, vth=vth) for group in net.groups))
        one = simulate(net, x[:, :1], record=["conv1", "out"])
        with drawing():
            drawn = traces_figure(one, net.groups, [0, 0])
            drawn.draw_without_rendering()
        for axes in drawn.axes:
            labels = [label.get_text() for label in axes.get_yticklabels()]
            assert labels and all(re.fullmatch(r"[-−]?\d{1,3}(,\d{3})*", text) for text in labels)
            assert axes.yaxis.get_offset_text().get_text() == ""


def test_mantissas_that_are_all_the_same_and_small_shares_are_said_so() -> None:
    net = program("spike")
    dense = Dense("conv1", "out", np.full((4, 72), 6))
    assert layers.mantissas([dense], []) == "6"
    assert layers.mantissas([net.connections[1]], [net.connections[0]]) == "-4 to 6 × 2^1; -20 to 50 on the host"
    assert [layers._of(n, 1000) for n in (0, 1, 9, 10, 1000)] == [
        "0", "1 (below 1%)", "9 (below 1%)", "10 (1%)", "1,000 (100%)"]  # fmt: skip


def test_a_chip_is_not_held_against_bare_arithmetic_in_silence() -> None:
    facts = next(b for b in overview(of_kind("bias")).blocks if isinstance(b, Facts))
    notes = {name: note for name, _, note in facts.rows if name.startswith("Energy by")}
    assert "a chip (" in notes["Energy by loihi2-estimate"]
    assert "against bare arithmetic; an estimate" in notes["Energy by loihi2-estimate"]
    assert "bare arithmetic" not in notes["Energy by cmos45-fp32"]
