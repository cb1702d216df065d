"""What `--help` shows, of all commands and of each."""

import pytest

from spikeport.cli.app import app
from tests.cli.command import done


@pytest.mark.parametrize(
    "command", ["train", "export", "finetune", "check", "compile", "run", "energy", "verify", "doctor", "demo"]
)
def test_every_command_explains_itself(command: str) -> None:
    out = done(command, "--help").out
    assert f"spikeport {command}" in out
    assert "--json" in out


def test_the_help_shows_every_command_once_in_the_order_of_the_work() -> None:
    heading, shown = "", {}
    for line in done("--help").out.splitlines():
        if line.endswith(":") and not line.startswith(" "):
            heading = line[:-1]
        elif line.startswith("  ") and not line.startswith("   ") and heading not in ("", "Options"):
            shown.setdefault(heading, []).append(line.split()[0])
    assert list(shown) == [
        "First steps",
        "Train",
        "Compile",
        "Run",
        "Prove",
        "Estimate energy",
        "Autoencoders",
        "Measure",
    ]
    assert shown["Train"] == ["recipes", "train", "finetune", "export"]
    names = [name for group in shown.values() for name in group]
    assert len(names) == len(set(names)) == len(app.registered_commands) + len(app.registered_groups)
