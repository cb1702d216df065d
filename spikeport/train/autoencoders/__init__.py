"""Spiking autoencoders: spikes of an image to a latent, and of a latent to an image."""

from spikeport.train.autoencoders.integrator import Integrator as Integrator
