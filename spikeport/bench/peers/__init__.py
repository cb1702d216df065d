"""One worker script per competitor; each runs in an environment of its own and needs nothing of spikeport."""
