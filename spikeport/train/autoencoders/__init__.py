"""Spiking autoencoders by name, in the papers' size by default."""

from collections.abc import Callable, Sequence
from typing import Any

from spikeport.errors import InputError, ModelInvalid, UnknownName
from spikeport.train.autoencoders.ann import AnnVAE as AnnVAE
from spikeport.train.autoencoders.ann import FadAutoencoder as FadAutoencoder
from spikeport.train.autoencoders.ann import fad_autoencoder as fad_autoencoder
from spikeport.train.autoencoders.base import Autoencoder as Autoencoder
from spikeport.train.autoencoders.base import GaussianLatent as GaussianLatent
from spikeport.train.autoencoders.base import Latent as Latent
from spikeport.train.autoencoders.base import Losses as Losses
from spikeport.train.autoencoders.base import Reconstruction as Reconstruction
from spikeport.train.autoencoders.base import SpikingAutoencoder as SpikingAutoencoder
from spikeport.train.autoencoders.esvae import ESVAE as ESVAE
from spikeport.train.autoencoders.fad import FadTraining as FadTraining
from spikeport.train.autoencoders.fsvae import FSVAE as FSVAE
from spikeport.train.autoencoders.integrator import Integrator as Integrator
from spikeport.train.autoencoders.noise import Noise as Noise
from spikeport.train.autoencoders.noise import NoiseShape as NoiseShape
from spikeport.train.autoencoders.pfa import Pfa as Pfa
from spikeport.train.autoencoders.stages import Plan as Plan
from spikeport.train.autoencoders.stages import last_synapse
from spikeport.train.autoencoders.stages import pixels as pixels
from spikeport.train.autoencoders.taid import Taid as Taid
from spikeport.train.models.source import Source


def build_autoencoder(name: str, source: Source, **options: Any) -> Autoencoder:
    """A model by name.

    Args:
        name: A name in `AUTOENCODERS`.
        source: Of the images; `pixels(shape)` for 8-bit pictures.
        options: Those of `spiking` and of the model.

    Raises:
        InputError: the name or an option is unknown.
    """
    if name not in AUTOENCODERS:
        limit = ", ".join(AUTOENCODERS)
        raise UnknownName("autoencoder", "name", got=name, relation="is not one of", limit=limit)
    try:
        return AUTOENCODERS[name](source, **options)
    except InputError:
        raise
    except (TypeError, ValueError, RuntimeError) as error:  # what Python and torch say of odd options
        raise ModelInvalid(f"autoencoder {name}", "options", got=error) from error


def spiking(
    model: Callable[..., SpikingAutoencoder],
    source: Source,
    *,
    widths: Sequence[int] = (),
    latent: int = 128,
    steps: int = 16,
    surrogate: str = "paper",
    readout: str = "membrane",
    taid: str = "code",
    pfa: bool = False,
    pfa_rank: int = 64,
    **options: Any,
) -> SpikingAutoencoder:
    """A spiking autoencoder.

    Args:
        widths, latent, steps, surrogate: Of `Plan`.
        readout: "membrane" or "taid".
        taid: The form of `Taid`.
        pfa: Whether the image passes `Pfa` first, of this rank.
        options: The model's own.
    """
    plan = Plan(source, tuple(widths), latent, steps, surrogate)
    if readout not in ("membrane", "taid"):
        raise UnknownName("autoencoder", "readout", got=readout, relation="is not one of", limit="membrane, taid")
    synapse = last_synapse(plan)
    read = Integrator(synapse) if readout == "membrane" else Taid(synapse, steps, taid)
    return model(plan, read, Pfa(source, steps, pfa_rank) if pfa else None, **options)


def esvae(source: Source, **options: Any) -> SpikingAutoencoder:
    """ESVAE; options of `spiking`, and sampling ("code" or "paper") and weight (lambda)."""
    return spiking(ESVAE, source, **options)


def fsvae(source: Source, **options: Any) -> SpikingAutoencoder:
    """FSVAE; options of `spiking`, and candidates (k), distance ("mmd" or "kld") and weight."""
    return spiking(FSVAE, source, **options)


def ann_vae(source: Source, *, widths: Sequence[int] = (), latent: int = 128, **options: Any) -> AnnVAE:
    """The ANN baseline; options widths, latent and weight."""
    return AnnVAE(Plan(source, tuple(widths), latent), **options)


def fad(source: Source, *, widths: Sequence[int] = (), latent: int = 64) -> FadTraining:
    """The autoencoder of FAD, to be trained."""
    return FadTraining(Plan(source, tuple(widths), latent))


AUTOENCODERS: dict[str, Callable[..., Autoencoder]] = {
    "esvae": esvae,
    "fsvae": fsvae,
    "ann_vae": ann_vae,
    "fad_autoencoder": fad,
}
