"""The event-driven engine: what `reference.py` says, at the speed of the spikes."""
