"""The command line: what each command is told. Parts are imported inside the commands, so `--help` is quick."""

from spikeport.cli.app import main as main
