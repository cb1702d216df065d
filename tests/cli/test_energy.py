"""`spikeport energy` and `spikeport profiles`: tables, files, comparisons, and bad input in one line each."""

import csv
import html
import re
import shlex
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from spikeport.program import LIF, Conv, Dense, Encoder, Input, Output, Program
from spikeport.program_file import save_program
from spikeport.sim import count_operations, simulate
from tests.cli.command import done, listing, spikeport
from tests.errors.lines import said

STEPS, BATCH = 6, 5
PRICES = """
[profile]
name = "mine"
title = "mine"
scope = "per_term"
[energy_pj.mac]
nominal = 2.0
evidence = "assumed"
source = "s"
[energy_pj.ac]
nominal = 0.5
low = 0.25
high = 1.0
evidence = "assumed"
source = "s"
"""


def net() -> Program:
    """An image on the host, a conv, a dense output."""
    rng = np.random.default_rng(3)
    groups = (
        LIF("pixels", (1, 6, 6), 4095, 400, 60, np.zeros((1, 6, 6), int), bias_exp=6, reset_interval=6, reset_offset=1),
        LIF("conv", (2, 6, 6), 4095, 400, 20, np.zeros((2, 6, 6), int), reset_interval=6, reset_offset=2),
        LIF("out", (4,), 4095, 400, 60, np.zeros(4, int), reset_interval=6, reset_offset=3),
    )
    encoder = Encoder(Conv("x", "pixels", np.ones((1, 1, 1, 1), int)), np.zeros((1, 6, 6), int))
    links = (
        Conv("pixels", "conv", 2 * rng.integers(-10, 40, (2, 1, 3, 3)), padding=(1, 1)),
        Dense("conv", "out", 2 * rng.integers(-40, 60, (4, 72))),
    )
    return Program(groups, links, (Input("x", (1, 6, 6), "bias", 0, 255),), (Output("y", "out", 4),), (encoder,), 2)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """net.h5, x.npz, other.h5 of the same shapes, y.npz and z.npz: what they did; mine.toml."""
    folder = tmp_path_factory.mktemp("made")
    program, rng = net(), np.random.default_rng(4)
    first, second = program.connections
    other = replace(program, connections=(first, replace(second, weight=second.weight[:, ::-1].copy())))
    save_program(program, folder / "net.h5")
    save_program(other, folder / "other.h5")
    image = rng.integers(0, 200, (1, BATCH, 1, 6, 6))
    np.savez(folder / "x.npz", spikes=np.repeat(image, STEPS, axis=0))
    for name, into in (("net", "y"), ("other", "z")):
        done("run", folder / f"{name}.h5", "--input", folder / "x.npz", "-o", folder / f"{into}.npz", "--record", "all")
    done("run", folder / "net.h5", "--input", folder / "x.npz", "-o", folder / "y.h5", "--record", "all")
    with np.load(folder / "y.npz") as file:
        np.savez(folder / "odd.npz", **{**file, "conv/s": file["conv/s"].astype(int) * 7})
    (folder / "mine.toml").write_text(PRICES)
    return folder


def energy(made: Path, *options: object) -> list[object]:
    return ["energy", made / "net.h5", "--input", made / "x.npz", *options]


def test_the_document_has_the_counts_of_a_run(made: Path) -> None:
    found = done(*energy(made, "--json")).json
    with np.load(made / "x.npz") as file:
        counts = count_operations(net(), simulate(net(), file["spikes"]))
    assert found["schema"] == "spikeport-energy/2"
    assert found["profile"]["name"] == "cmos45-fp32"
    assert found["program"] == "net.h5"
    assert found["input"]["sha256"] == sha256((made / "x.npz").read_bytes()).hexdigest()
    assert [layer["counts"]["sops"] for layer in found["layers"]] == [layer.sops for layer in counts.layers]
    assert found["totals"]["counts"]["active"] == counts.active
    assert found["model"]["samples"] == BATCH
    macs, sops = 36 * 4.6, counts.sops / BATCH * 0.9
    assert found["totals"]["snn_pj"]["nominal"] == pytest.approx(macs + sops)
    assert counts.sops > 0
    assert sum(core["syn_ops"] for core in found["cores"]["cores"]) == counts.sops


def test_a_recorded_run_gives_what_a_simulation_gives(made: Path) -> None:
    assert done(*energy(made, "--activity", made / "y.npz", "--json")).json == done(*energy(made, "--json")).json


def test_people_get_one_table_totals_with_bounds_verdicts_and_caveats(made: Path) -> None:
    out = " ".join(done(*energy(made, "--profile", "loihi2-estimate")).out.split())
    for words in (
        "synaptic operations",
        "messages to cores",
        "SNN / ANN",
        "Not a Loihi 2 measurement",
        "per inference",
    ):
        assert words in out
    assert "this network is not below the limit of 0.15 against" in out
    assert "paper-syops" in out and "Times exact" in out
    assert "Energy-delay product" in out


def test_profiles_and_programs_side_by_side(made: Path, tmp_path: Path) -> None:
    options = ("--profile", "cmos45-int8", "--profile", made / "mine.toml", "--compare", made / "other.h5")
    found = done(*energy(made, *options, "--json")).json
    assert found["schema"] == "spikeport-energy-comparison/1"
    names = [(one["program"], one["profile"]["name"]) for one in found["energies"]]
    assert names == [(p, q) for p in ("net.h5", "other.h5") for q in ("cmos45-int8", "mine")]
    sops = [one["totals"]["counts"]["sops"] for one in found["energies"]]
    assert sops[0] == sops[1] and sops[2] == sops[3]
    out = " ".join(done(*energy(made, *options, "--html", tmp_path / "r.html")).out.split())
    assert "side by side" in out and "other.h5" in out
    page = (tmp_path / "r.html").read_text()
    assert "other.h5" in page and "mine" in page


def test_programs_and_profiles_of_equal_names_are_told_apart(made: Path, tmp_path: Path) -> None:
    (tmp_path / "a folder").mkdir()
    other, prices = tmp_path / "a folder" / "net.h5", tmp_path / "mine.toml"
    other.write_bytes((made / "other.h5").read_bytes())
    prices.write_text(PRICES.replace("nominal = 2.0", "nominal = 4.0"))
    page = tmp_path / "r.html"
    options = ("--compare", other, "--profile", made / "mine.toml", "--profile", prices, "--html", page)
    found = done(*energy(made, *options, "--csv", tmp_path / "e.csv", "--json")).json
    programs = [str(made / "net.h5"), str(other)]
    assert [one["program"] for one in found["energies"]] == [p for p in programs for _ in range(2)]
    with open(tmp_path / "e.csv", newline="") as file:
        lines = {(line["program"], line["profile"]) for line in csv.DictReader(file)}
    assert lines == {(p, q) for p in programs for q in (str(made / "mine.toml"), str(prices))}
    command = html.unescape(re.search("<pre><code>(.*)</code></pre>", page.read_text()).group(1))
    again = shlex.split(command)
    assert again[:5] == ["spikeport", "energy", str(made / "net.h5"), "--input", str(made / "x.npz")]
    assert again[5:] == [str(word) for word in (*options[2:6], *options[:2], *options[6:])]


def test_csv_has_every_term_of_every_layer(made: Path, tmp_path: Path) -> None:
    done(*energy(made, "--profile", made / "mine.toml", "--csv", tmp_path / "e.csv"))
    with open(tmp_path / "e.csv", newline="") as file:
        lines = list(csv.DictReader(file))
    document = done(*energy(made, "--profile", made / "mine.toml", "--json")).json
    snn = [line for line in lines if line["side"] == "snn"]
    assert sum(float(line["nominal_pj"]) for line in snn) == pytest.approx(document["totals"]["snn_pj"]["nominal"])
    ann = [line for line in lines if line["side"] == "ann"]
    assert sum(float(line["nominal_pj"]) for line in ann) == pytest.approx(document["totals"]["ann_pj"]["nominal"])
    assert {line["layer"] for line in ann} == {"pixels", "conv", "out"}
    sops = next(line for line in snn if (line["layer"], line["term"]) == ("conv", "sops"))
    assert float(sops["low_pj"]) * 2 == float(sops["nominal_pj"]) == float(sops["high_pj"]) / 2
    host = next(line for line in snn if line["term"] == "host_macs")
    assert (host["low_pj"], host["high_pj"]) == ("", "")  # not published


def test_the_page_is_written_whole(made: Path, tmp_path: Path) -> None:
    done(*energy(made, "--html", tmp_path / "r.html"))
    page = (tmp_path / "r.html").read_text()
    assert page.startswith("<!") and "pixels" in page and "</html>" in page
    assert f"spikeport energy {made}/net.h5 --input {made}/x.npz" in page


def test_without_cores_messages_are_unknown(made: Path) -> None:
    found = done(*energy(made, "--no-cores", "--profile", "loihi1-sanafe", "--json")).json
    assert (found["cores"], found["latency"]) == (None, None)
    assert {"name": "messages", "amount": None} in found["unpriced_terms"]


def test_a_program_that_fits_no_core_is_named(made: Path, tmp_path: Path) -> None:
    wide = 20_000  # a core of a Loihi 2 has 20,000 words in all
    dense = Dense("x", "a", np.ones((1, wide), int))
    lif = LIF("a", (1,), 4095, 0, 60, np.zeros(1, int))
    save_program(Program((lif,), (dense,), (Input("x", (wide,), "spike"),), (Output("y", "a"),)), tmp_path / "n.h5")
    np.savez(tmp_path / "x.npz", spikes=np.zeros((1, 1, wide), np.int8))
    ran = done("energy", tmp_path / "n.h5", "--input", tmp_path / "x.npz", "--json")
    assert "n.h5 does not fit loihi2: a needs 200% of the " in ran.err
    assert ran.json["schema"] == "spikeport-energy/2"
    assert done(*energy(made, "--json")).err == ""


def test_memory_of_layers_and_of_the_fullest_cores(made: Path) -> None:
    found = done(*energy(made, "--json")).json["memory"]
    # conv: 2 x 1 x 3 x 3 weights of 8 bits, 72 neurons of u and v, 24 bits each
    assert (found["bits"]["conv"]["weights"], found["bits"]["conv"]["state"]) == (18 * 8, 72 * 48)
    assert found["total_bits"] == sum(layer["total"] for layer in found["bits"].values())
    assert [core["layer"] for core in found["cores"]] == ["pixels", "conv", "out"]
    assert found["cores"][1]["fullest_core"]["neurons"] <= found["limits"]["neurons"]
    out = " ".join(done(*energy(made)).out.split())
    assert "what the fullest core of a loihi2 uses of its limits" in out
    assert done(*energy(made, "--no-cores", "--json")).json["memory"]["cores"] is None


def test_memory_and_conventions(made: Path) -> None:
    plain = done(*energy(made, "--json")).json["totals"]
    memory = done(*energy(made, "--memory", "lemaire", "--json")).json["totals"]
    assert memory["energy_pj"]["memory"]["nominal"] > 0
    assert memory["ann_pj"]["nominal"] > plain["ann_pj"]["nominal"]
    paper = done(*energy(made, "--convention", "paper-syops", "--json")).json
    assert paper["convention"] == "paper-syops"
    assert set(paper["totals"]["energy_pj"]) == {"macs", "acs"}


def test_shapes_alone() -> None:
    found = done("energy", "dalif-imagenet", "--convention", "paper-syops", "--json").json
    assert next(c for c in found["convention_sensitivity"] if c["name"] == "paper-syops")["macs"] == 974_864_288
    assert "974,864,288" in done("energy", "dalif-imagenet", "--convention", "paper-syops").out


def test_a_question_mark_is_explained(tmp_path: Path) -> None:
    layer = '[[layer]]\nname = "a"\nkind = "linear"\nin_features = 3\nout_features = 4\nfed = "spikes"\n'
    known = '[network]\nname = "n"\nsteps = 4\n' + layer + "rate = 0.5\nsops = 24\n"
    for text, told in ((known, False), (known.replace("sops = 24\n", ""), True)):
        (tmp_path / "n.toml").write_text(text)
        assert ("note: ? needs a rate" in done("energy", tmp_path / "n.toml").out) is told


def test_profiles_are_listed_with_their_sources(made: Path) -> None:
    names = [p["name"] for p in done("profiles", "--json").json["profiles"]]
    assert {"cmos45-fp32", "cmos45-fp16", "cmos45-int8", "cmos45-int32"} <= set(names)
    assert {"loihi1-davies2018", "loihi1-sanafe", "loihi2-estimate", "truenorth-2014"} <= set(names)
    out = " ".join(done("profiles", "loihi1-davies2018").out.split())
    assert "Davies et al." in out and "23.6" in out and "simulated" in out
    assert done("profiles", made / "mine.toml", "--json").json["name"] == "mine"


ACTIVITY = "; record this Program with 'spikeport run --record all', on the same samples"
BAD = {
    "another network of the same shapes": (
        ("--activity", "{made}/z.npz"),
        "",
        "{made}/z.npz: run is that of another Program" + ACTIVITY,
    ),
    "a run with payloads of neurons that have none": (
        ("--activity", "{made}/odd.npz"),
        "",
        "{made}/odd.npz: spikes of conv (7) are not 0 or 1" + ACTIVITY,
    ),
    "no run in HDF5": (("--activity", "{made}/net.h5"), "", "{made}/net.h5: holds no recorded groups; record"),
    "no recorded run": (("--activity", "{made}/x.npz"), "", "{made}/x.npz: holds no recorded groups; record"),
    "no such run": (("--activity", "{here}/none.npz"), "", "{here}/none.npz: no such file"),
    "unknown key": (
        ("--profile", "{here}/p.toml"),
        PRICES + "colour = 1\n",
        "{here}/p.toml: unknown key in energy_pj.ac ('colour') is not one of nominal, low, high,",
    ),
    "unknown term": (
        ("--profile", "{here}/p.toml"),
        PRICES + "[energy_pj.magic]\nnominal = 1\n",
        "{here}/p.toml: unknown key in energy_pj ('magic') is not one of mac, ac, sop",
    ),
    "negative price": (
        ("--profile", "{here}/p.toml"),
        PRICES.replace("nominal = 2.0", "nominal = -2.0"),
        "{here}/p.toml: energy_pj.mac.nominal (-2.0) is not 0 or a number from",
    ),
    "missing source": (
        ("--profile", "{here}/p.toml"),
        PRICES.replace('source = "s"\n', "", 1),
        "{here}/p.toml: energy_pj.mac.source is missing",
    ),
    "all-in with more": (
        ("--profile", "{here}/p.toml"),
        PRICES.replace("per_term", "all_in"),
        "{here}/p.toml: energy_pj.mac is inside sop already; leave it out",
    ),
    "unknown convention": (
        ("--convention", "paper"),
        "",
        "energy: convention (paper) is not one of exact, paper-spikformer",
    ),
    "an ANN without MACs": (
        ("--ann", "loihi1-sanafe"),
        "",
        "energy: ANN profile (loihi1-sanafe) has no price for a MAC; name a profile of arithmetic",
    ),
    "a paper's convention at a chip's prices": (
        ("--profile", "loihi2-estimate", "--convention", "paper-spikformer"),
        "",
        "energy: paper-spikformer (loihi2-estimate) has no prices for the MACs and accumulates of a paper's",
    ),
    "memory at a chip's prices": (
        ("--profile", "loihi1-sanafe", "--memory", "lemaire"),
        "",
        "energy: memory (loihi1-sanafe) has no prices of bare arithmetic",
    ),
    "csv that cannot be written": (("--csv", "{here}/none/e.csv"), "", "{here}/none/e.csv: cannot be written"),
    "the Program twice": (("--compare", "{made}/net.h5"), "", "energy: Program ({made}/net.h5) is given twice"),
    "a profile twice": (
        ("--profile", "cmos45-int8", "--profile", "cmos45-int8"),
        "",
        "energy: profile (spikeport/sim/energy/profiles/cmos45-int8.toml) is given twice",
    ),
    "csv over the Program": (("--csv", "{made}/net.h5"), "", "energy: file to write ({made}/net.h5) is read or"),
    "csv over the input": (("--csv", "{made}/x.npz"), "", "energy: file to write ({made}/x.npz) is read or"),
    "csv over the prices": (
        ("--profile", "{here}/p.toml", "--csv", "{here}/p.toml"),
        PRICES,
        "energy: file to write ({here}/p.toml) is read or",
    ),
    "csv over the page": (("--csv", "{here}/r.html"), "", "energy: file to write ({here}/r.html) is read or"),
    "another network to compare": (("--compare", "{here}/none.h5"), "", "{here}/none.h5: "),
}  # fmt: skip


@pytest.mark.parametrize(("options", "prices", "message"), BAD.values(), ids=BAD)
def test_bad_input_is_one_line_and_writes_nothing(
    made: Path, tmp_path: Path, options: tuple[str, ...], prices: str, message: str
) -> None:
    (tmp_path / "p.toml").write_text(prices)
    before = listing(tmp_path)
    told = (option.format(here=tmp_path, made=made) for option in options)
    ran = spikeport(*energy(made, *told, "--html", tmp_path / "r.html"))
    assert (ran.code, ran.out) == (2, "")
    assert said(ran.err).startswith(message.replace("{here}", str(tmp_path)).replace("{made}", str(made)))
    assert ran.err.count("\n") == 1
    assert listing(tmp_path) == before


def test_a_program_needs_its_samples_and_shapes_do_not_take_them(made: Path) -> None:
    ran = spikeport("energy", made / "net.h5")
    assert (ran.code, ran.err) == (
        2,
        "error SP206: energy: input is missing; give the Program's samples, --input X.NPZ\n",
    )
    ran = spikeport("energy", "dalif-cifar100", "--input", made / "x.npz")
    assert ran.code == 2
    assert ran.err.startswith("error SP206: energy: options (--input) do not apply to shapes")


def test_a_run_of_other_samples_is_refused(made: Path, tmp_path: Path) -> None:
    with np.load(made / "x.npz") as file:
        np.savez(tmp_path / "x.npz", spikes=file["spikes"][:, :3])
    ran = spikeport("energy", made / "net.h5", "--input", tmp_path / "x.npz", "--activity", made / "y.npz")
    assert ran.code == 2 and ran.err.count("\n") == 1
    assert "another Program" not in ran.err and "y.npz" in ran.err


def test_a_name_that_is_neither_a_program_nor_shapes_is_one_line_with_the_known_ones(tmp_path: Path) -> None:
    ran = spikeport("energy", "dalif-cifar1000")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(
        "error SP101: dalif-cifar1000: no such file; name a Program, or a network by its shapes: "
    )
    assert "dalif-cifar100, " in ran.err


def test_a_network_that_is_silent_is_said_to_be(made: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "dark.npz", spikes=np.zeros((STEPS, 1, 1, 6, 6), int))
    silent = "note: No spike reached a synapse in this run"
    assert silent in done("energy", made / "net.h5", "--input", tmp_path / "dark.npz").out
    assert silent not in done(*energy(made)).out


def test_a_file_that_does_not_fit_is_named(made: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "none.npz", spikes=np.zeros((STEPS, 0, 1, 6, 6), int))
    ran = spikeport("energy", made / "net.h5", "--input", tmp_path / "none.npz")
    assert said(ran.err).startswith(
        f"{tmp_path}/none.npz (input x): shape ((6, 0, 1, 6, 6)) is not (T, B, 1, 6, 6); give"
    )
