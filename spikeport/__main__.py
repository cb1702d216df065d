"""`python -m spikeport` is the command `spikeport`."""

from spikeport.cli import main

main()
