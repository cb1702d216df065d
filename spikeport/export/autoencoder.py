"""`from_autoencoder`: the two chip phases of a spiking autoencoder as NIR graphs, and what the host does."""

from collections.abc import Callable
from dataclasses import dataclass

import nir
import numpy as np
import torch
from torch import nn

from spikeport import host
from spikeport.autoencoder import Attention, Bottleneck, Bundle, Pixels
from spikeport.errors import ExportError, ExportOption, HostInLoop, ModuleSetting, OffGrid
from spikeport.export.to_nir import to_nir
from spikeport.program import Program
from spikeport.train.autoencoders import ESVAE, FSVAE, Autoencoder, SpikingAutoencoder, Taid

DECODER_ALONE = "its decoder alone is deployable: --part decoder"


@dataclass(frozen=True, eq=False)
class AutoencoderGraphs:
    """All that a bundle is compiled from."""

    encoder: nir.NIRGraph | None
    decoder: nir.NIRGraph
    steps: int
    pixels: Pixels
    bottleneck: Bottleneck | None
    attention: Attention | None

    def bundle(self, compiler: Callable[..., Program]) -> Bundle:
        """Both Programs, and the host's part.

        Args:
            compiler: `spikeport.deploy.compile_graph`, or a partial of it: a NIR graph and `steps` to a Program.
        """
        encoder = None if self.encoder is None else compiler(self.encoder, steps=self.steps)
        return self.of_programs(compiler(self.decoder, steps=self.steps), encoder)

    def of_programs(self, decoder: Program, encoder: Program | None = None) -> Bundle:
        """As `bundle`, of Programs that are compiled."""
        return Bundle(encoder, decoder, self.steps, self.pixels, self.bottleneck, self.attention)


def from_autoencoder(model: Autoencoder, part: str = "all") -> AutoencoderGraphs:
    """The graphs of a trained autoencoder's parts, and what the host does between them.

    Args:
        model: An ESVAE, or of an FSVAE the decoder.
        part: "all", or "decoder", which needs no encoder: of an ESVAE it still generates.

    Raises:
        ExportError: what no bundle holds, with the reason.
    """
    if part not in ("all", "decoder"):
        raise ExportOption("autoencoder", "part", got=part, relation="is not one of", limit="all, decoder")
    if not isinstance(model, SpikingAutoencoder):
        raise HostInLoop(type(model).__name__, "has no spikes", do="train esvae, or fsvae")
    if part == "all":
        _check_encoder(model)
    source = model.source
    z = torch.zeros(model.steps, 1, model.latent)
    images = torch.zeros(1, *source.shape)
    try:
        return AutoencoderGraphs(
            to_nir(model.encoder, images) if part == "all" else None,
            to_nir(
                model.decoder if isinstance(model.readout, Taid) else nn.Sequential(model.decoder, model.readout), z
            ),
            model.steps,
            Pixels(source.low, source.high, source.scale),
            _bottleneck(model),
            _attention(model.readout) if isinstance(model.readout, Taid) else None,
        )
    except ExportError as error:
        raise error.inside(type(model).__name__) from error


def _check_encoder(model: SpikingAutoencoder) -> None:
    """Raises ExportError unless the host has nothing to do but between the two phases."""
    if isinstance(model, FSVAE):
        what = "posterior and prior pick a candidate and feed it back: the host is in the loop at every step"
        raise HostInLoop("FSVAE", what, do=DECODER_ALONE)
    if not isinstance(model, ESVAE):
        raise HostInLoop(type(model).__name__, "sampling has no deployed form", do=DECODER_ALONE)
    if model.pfa is not None:
        what = "PFA weighs the image anew at every step, in floats, and the encoder's input is one image for all steps"
        raise HostInLoop("ESVAE", what, do=f"train without pfa, or deploy the decoder; {DECODER_ALONE}")


def _bottleneck(model: SpikingAutoencoder) -> Bottleneck | None:
    if not isinstance(model, ESVAE):
        return None
    layer = model.bottleneck
    return Bottleneck(_whole(layer.weight), _whole(layer.bias, 2 * host.BITS))


def _attention(taid: Taid) -> Attention:
    synapse = taid.synapse
    geometry = synapse.stride, synapse.dilation, synapse.output_padding, synapse.groups
    if geometry != ((1, 1), (1, 1), (0, 0), 1):
        limit = "stride 1, dilation 1, no output padding, one group"
        raise ModuleSetting("taid", "last synapse", got=geometry, relation="does not have", limit=limit)
    weight, bias = taid.whole()
    attention = taid.attention.weight.detach().double().numpy()
    padding = (int(synapse.padding[0]), int(synapse.padding[1]))
    return Attention(_ints(weight), _ints(bias), attention, padding, taid.form)


def _whole(x: torch.Tensor, bits: int = host.BITS) -> np.ndarray:
    found: torch.Tensor = host.whole(x.detach().double(), bits)
    return _ints(found)


def _ints(x: torch.Tensor) -> np.ndarray:
    """float64 whole numbers as int64; ExportError for what int64 does not hold."""
    if not bool((x.abs() < host.EXACT).all()):  # NaN too
        got, do = float(x.abs().amax()), "train again with a lower learning rate"
        raise OffGrid("host", "parameter", got=got, relation="is not below", limit="2^53 steps", do=do)
    return x.cpu().long().numpy()
