"""`spikeport explain`, and how errors are shown."""

import json
from pathlib import Path

import pytest

from spikeport.deploy.rules import RULES
from spikeport.errors.catalogue import CATALOGUE
from tests.cli.command import in_child as spikeport


@pytest.mark.parametrize("name", ["SP407", "sp407", "NeuronUnlowered"])
def test_a_code_is_explained_by_any_of_its_names(name: str) -> None:
    ran = spikeport("explain", name)
    assert (ran.returncode, ran.stderr) == (0, "")
    entry = CATALOGUE["SP407"]
    flat = " ".join(ran.stdout.split())
    for text in (f"SP407: {entry.title}", entry.why, f"Fix: {entry.fix}", f"error SP407: {entry.example}"):
        assert " ".join(text.split()) in flat
    assert "spikeport.errors.NeuronUnlowered" in flat and "Exit code of a command: 2" in flat


def test_json_has_the_entry() -> None:
    told = json.loads(spikeport("explain", "SP101", "--json").stdout)
    assert told == {"schema": "spikeport-explain-code/1", **CATALOGUE["SP101"].data()}


def test_without_a_name_all_codes_and_rules_are_listed() -> None:
    shown = spikeport("explain").stdout
    assert all(code in shown and entry.title in shown for code, entry in CATALOGUE.items())
    assert all(rule.id in shown for rule in RULES)
    told = json.loads(spikeport("explain", "--json").stdout)
    assert [entry["code"] for entry in told["codes"]] == list(CATALOGUE)
    assert [rule["id"] for rule in told["rules"]] == [rule.id for rule in RULES]


def test_every_rule_is_explained_with_its_limits() -> None:
    for rule in RULES[::5]:
        answer = json.loads(spikeport("explain", rule.id, "--json").stdout)
        assert answer["id"] == rule.id and answer["unit"] == rule.unit and answer["text"] == rule.paragraph()
        assert set(answer["limits"]) == {"loihi1", "loihi2"}
    shown = spikeport("explain", "fan_in_fits_one_core").stdout
    assert "4096" in shown and "16000" in shown and "nengo-loihi" in shown
    assert "remedy: use fewer channels or a smaller kernel" in shown
    yes = spikeport("explain", "spikes_are_binary_on_loihi1").stdout
    assert "no " in yes and "yes " in yes


@pytest.mark.parametrize(("name", "nearest"), [("SP10", "SP"), ("fan_in_fits", "fan_in_fits_one_core"), ("?", "")])
def test_an_unknown_name_is_one_line_with_the_nearest_ones(name: str, nearest: str) -> None:
    ran = spikeport("explain", name)
    assert (ran.returncode, ran.stdout) == (2, "")
    start = f"error SP201: explain: name ({name}) is no code and no design rule; "
    assert ran.stderr.startswith(start) and nearest in ran.stderr[len(start) :]
    assert ran.stderr.endswith("'spikeport explain' lists all\n") and ran.stderr.count("\n") == 1


def test_with_json_an_error_is_a_document_of_its_pieces(tmp_path: Path) -> None:
    net = tmp_path / "net.nir"
    ran = spikeport("check", net, "--json")
    assert (ran.returncode, ran.stderr) == (2, f"error SP101: {net}: no such file\n")
    pieces = {"where": str(net), "what": "no such file", "got": None, "relation": "", "limit": None, "do": ""}
    assert json.loads(ran.stdout) == {"error": {"code": "SP101", **pieces, "message": f"{net}: no such file"}}
    assert ran.stdout.count("\n") == 1
