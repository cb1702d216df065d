"""Spiking autoencoders: their bundle, `generate`, `reconstruct`, `evaluate`."""
