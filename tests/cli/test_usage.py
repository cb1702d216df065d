"""Words of a command line that cannot be read: one line with a code, exit 2, and the nearest name."""

import json
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from spikeport import cli
from spikeport.cli.app import app
from tests.errors.lines import said

MISREAD = {
    "tarin": "spikeport: command (tarin) is not known; did you mean train? 'spikeport --help' lists all",
    "net.nir": "spikeport: command (net.nir) is not known; 'spikeport --help' lists all",
    "--versoin": "spikeport: option (--versoin) is not known; did you mean --version? 'spikeport --help' tells all",
    "bench smi": "spikeport bench: command (smi) is not known; did you mean sim? 'spikeport bench --help' lists all",
    "run": "spikeport run: argument NET.H5 is missing; 'spikeport run --help' tells all",
    "run a.h5 --input x b c": "spikeport run: arguments (b c) are too many; 'spikeport run --help' tells all",
    "run a.h5": "spikeport run: option --input is missing; 'spikeport run --help' tells all",
    "run a.h5 --inptu x": "spikeport run: option (--inptu) is not known; did you mean --input?"
    " 'spikeport run --help' tells all",
    "run a.h5 -input x": "spikeport run: option (-input) is not known; did you mean --input?"
    " 'spikeport run --help' tells all",
    "run a.h5 --input": "spikeport run: option --input needs a value; 'spikeport run --help' tells all",
    "run a.h5 --accuracy=1": "spikeport run: option --accuracy takes no value; 'spikeport run --help' tells all",
    "run a.h5 --input x --timeout soon": "spikeport run: --timeout (soon) is not a number;"
    " 'spikeport run --help' tells all",
    "generate b --count 1.5": "spikeport generate: --count (1.5) is not an integer;"
    " 'spikeport generate --help' tells all",
    "run a.h5 --input x --decide meen": "spikeport run: --decide (meen) is not one of mean, max, last;"
    " did you mean mean? 'spikeport run --help' tells all",
    "bench train --threads two": "spikeport bench train: --threads (two) is not an integer;"
    " 'spikeport bench train --help' tells all",
    "bench train --no-compild": "spikeport bench train: option (--no-compild) is not known;"
    " did you mean --no-compiled or --compiled? 'spikeport bench train --help' tells all",
}


def ended(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[object, str, str]:
    monkeypatch.setattr(sys, "argv", ["spikeport", *words])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    return caught.value.code, *capsys.readouterr()


@pytest.mark.parametrize("words", MISREAD)
def test_what_cannot_be_read_is_one_line_with_the_nearest_name(
    words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = ended(monkeypatch, capsys, *words.split())
    assert (code, out, err) == (2, "", f"error SP217: {MISREAD[words]}\n")
    assert said(err) and [*tmp_path.iterdir()] == []


def test_a_value_below_its_range_is_said_in_the_same_form(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The words for the range are typer's."""
    code, out, err = ended(monkeypatch, capsys, "evaluate", "run", "--samples", "1")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("error SP217: spikeport evaluate: --samples (1) is not ") and "2" in err


def test_with_json_it_is_a_document_too(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = ended(monkeypatch, capsys, "run", "--json")
    told = json.loads(out)["error"]
    assert (code, err) == (2, f"error SP217: {told['message']}\n")
    assert (told["where"], told["what"], told["relation"]) == ("spikeport run", "argument NET.H5", "is missing")


def leaves(name: str, command: object) -> list[str]:
    inner = getattr(command, "commands", None)
    return (
        [name] if inner is None else [leaf for key, child in inner.items() for leaf in leaves(f"{name} {key}", child)]
    )


@pytest.mark.parametrize("name", leaves("", get_command(app)))
def test_every_command_says_so_of_an_option_that_is_none(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = ended(monkeypatch, capsys, *name.split(), "--jsn")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"error SP217: spikeport{name}: option (--jsn) is not known; did you mean --json")


def test_bench_alone_lists_its_commands(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = ended(monkeypatch, capsys, "bench")
    assert (code, err) == (0, "") and "mapping" in out and "Usage: spikeport bench" in out
