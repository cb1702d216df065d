"""The commands behind `spikeport`; each gives an `Answer`. Only `spikeport.cli` imports them."""
