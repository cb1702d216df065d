"""`spikeport` alone, and what a shell offers to complete."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from spikeport.bench.cases import CASES
from spikeport.bench.compare import PEERS
from spikeport.bench.directions import QUESTIONS
from spikeport.bench.sim import PARTS
from spikeport.chip import CHIPS
from spikeport.cli import completion
from spikeport.cli.app import GROUPS
from spikeport.cli.start import START
from spikeport.commands.autoencoders import evaluate
from spikeport.commands.bench.zoo import LAVA_DL
from spikeport.commands.conformance.conformance import parts
from spikeport.commands.running.run import BACKENDS
from spikeport.deploy.convention import PRESETS
from spikeport.errors.catalogue import CATALOGUE
from spikeport.sim.energy.profile import profile_names
from spikeport.train import shipped_recipes
from tests.cli.command import in_child as spikeport


def test_alone_it_says_where_to_begin() -> None:
    ran = spikeport()
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, START, "")
    assert max(map(len, START.splitlines())) <= 110


def test_the_commands_of_the_start_page_are_there() -> None:
    names = {command.__name__.rstrip("_") for commands in GROUPS.values() for command in commands}
    assert {*re.findall(r"spikeport ([a-z]+)", START)} - names == {"takes"}
    for page in re.findall(r"docs/\S+\.md", START):
        assert (Path(__file__).parents[2] / page).is_file()


def test_the_version_is_the_packages() -> None:
    assert re.fullmatch(r"spikeport \d+\.\d+\.\d+\n", spikeport("--version").stdout)


def test_a_command_that_is_none_is_bad_input() -> None:
    ran = spikeport("tarin")
    assert ran.returncode == 2 and ran.stderr.startswith("error SP217: spikeport: command (tarin) is not known; ")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_its_script(shell: str) -> None:
    assert "_SPIKEPORT_COMPLETE=complete_" in spikeport(_SPIKEPORT_COMPLETE=f"source_{shell}").stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_installed_where_the_shell_looks(shell: str, tmp_path: Path) -> None:
    ran = spikeport("--install-completion", shell, HOME=str(tmp_path), _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert ran.returncode == 0, ran.stderr
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any("_SPIKEPORT_COMPLETE" in path.read_text() for path in written)


def completed(line: str) -> list[str]:
    """What bash gets for the last word of the line."""
    words = {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)}
    ran = spikeport(_SPIKEPORT_COMPLETE="complete_bash", **words)
    assert ran.stderr == ""
    return ran.stdout.split()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("spikeport comp", ["compile"]),
        ("spikeport train digits-", ["digits-alif"]),
        ("spikeport train ./re", []),
        ("spikeport check net.nir --target l", ["loihi1", "loihi2"]),
        ("spikeport energy net.h5 --profile loihi1-s", ["loihi1-sanafe"]),
        ("spikeport energy dalif-i", ["dalif-imagenet"]),
        ("spikeport explain SP41", [code for code in CATALOGUE if code.startswith("SP41")]),
        ("spikeport explain reset_int", ["reset_intervals_are_powers_of_two"]),
        ("spikeport bench mapping --net lava-dl/p", ["lava-dl/pilotnet_lif", "lava-dl/pilotnet_sdnn"]),
        ("spikeport bench sim --peer nen", ["nengo_loihi"]),
        ("spikeport run net.h5 --backend l", ["lava", "loihi"]),
        ("spikeport run net.h5 --decide m", ["mean", "max"]),
    ],
)
def test_names_are_completed(line: str, words: list[str]) -> None:
    assert completed(line) == words


def test_zsh_and_fish_get_the_titles_of_errors() -> None:
    title = CATALOGUE["SP101"].title
    told = {"_TYPER_COMPLETE_ARGS": "spikeport explain SP101", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    for shell in ("zsh", "fish"):
        assert title in spikeport(_SPIKEPORT_COMPLETE=f"complete_{shell}", **told).stdout


def test_the_words_are_those_of_the_commands() -> None:
    assert completion.recipes("") == sorted(shipped_recipes())
    assert completion.profiles("") == sorted(profile_names())
    assert completion.CHIPS == tuple(CHIPS)
    assert completion.CONVENTIONS == tuple(PRESETS)
    assert completion.BACKENDS == BACKENDS
    assert completion.MEASURES == evaluate.PARTS
    assert completion.CONFORMANCE == tuple(parts())
    assert completion.SIM_CASES == tuple(CASES)
    assert {*completion.SIM_PARTS} <= {*PARTS}
    assert completion.SIM_PEERS == (*PEERS, "none")
    assert completion.QUESTIONS == tuple(QUESTIONS)
    assert completion.LAVA_DL == tuple(f"lava-dl/{name}" for name in LAVA_DL)


def test_completion_loads_nothing_heavy() -> None:
    code = "import sys; from spikeport.cli import completion as c; c.recipes(''); c.codes(''); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "numba", "matplotlib", "spikeport.train", "spikeport.sim"} & {*loaded}
