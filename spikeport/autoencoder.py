"""A deployed autoencoder: two Programs, and what the host does between and behind them.

    images ─► encoder ─► spike counts ─► z[t] = [u[t] < count / T] ─► decoder ─► v of the last step ─► tanh ─► images
                                z_n ─► sigmoid(W z_n + b) ┘            └─► or last spikes ─► TAID ─► tanh ┘

Plain data: `spikeport.sim.generate` runs it, `spikeport.autoencoder_file` keeps it.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from spikeport import host
from spikeport.errors import BundleInvalid, UnknownName
from spikeport.program import Program

GREYS = 255
"""Of an 8-bit picture, but for black."""
FORMS = ("code", "paper")

Whole: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Pixels:
    """How an image is integers: in [low, high], of which 1 is worth `scale` in the images that are compared."""

    low: int
    high: int
    scale: float

    def __post_init__(self) -> None:
        if type(self.low) is not int or type(self.high) is not int or not -(1 << 15) <= self.low < self.high < 1 << 16:
            got = f"{self.low!r}, {self.high!r}"
            raise BundleInvalid("pixels", "low and high", got=got, relation="are no range of", limit="16-bit integers")
        if type(self.scale) is not float or not 0 < self.scale < 1e6:
            raise BundleInvalid("pixels", "scale", got=self.scale, relation="is not in", limit="(0, 1000000)")

    def of_pictures(self, pictures: NDArray[np.integer]) -> NDArray[np.int32]:
        """8-bit pictures, 0 to 255, to the network's integers; raises InputError for others."""
        if pictures.dtype.kind not in "iu" or pictures.size and not 0 <= pictures.min() <= pictures.max() <= GREYS:
            raise BundleInvalid("pictures", "values", relation="are not", limit=f"integers in [0, {GREYS}]")
        if (self.high - self.low) % GREYS:
            do = "give the network's own integers"
            raise BundleInvalid("pictures", "greys", relation="are no integers of the network", do=do)
        return (self.low + pictures.astype(np.int32) * ((self.high - self.low) // GREYS)).astype(np.int32)

    def to_pictures(self, images: Floats) -> NDArray[np.uint8]:
        """Images of real values to 8-bit pictures: the nearest grey."""
        greys = (images * (1 / self.scale) - self.low) * (GREYS / (self.high - self.low))
        return np.rint(greys).clip(0, GREYS).astype(np.uint8)


@dataclass(frozen=True, eq=False)
class Bottleneck:
    """ESVAE's prior: rates = sigmoid(W z_n + b)."""

    weight: Whole
    """`(D, D)`, in 2^-20."""
    bias: Whole
    """`(D,)`, in 2^-40."""

    def __post_init__(self) -> None:
        size = self.bias.shape[:1]
        _check_array("bottleneck", "bias", self.bias, size, np.int64)
        _check_array("bottleneck", "weight", self.weight, size * 2, np.int64)
        reach = host.bottleneck_reach(self.weight.astype(np.float64), self.bias.astype(np.float64))
        if not reach < host.EXACT:
            do = "its weights are too large to train with; lower its learning rate"
            raise BundleInvalid(
                "bottleneck", "sum of |w|", got=f"{reach:.3g}", relation="is not below", limit="2^53", do=do
            )


@dataclass(frozen=True, eq=False)
class Attention:
    """TAID: the last synapse, a transposed convolution of stride 1, and the attention over steps."""

    weight: Whole
    """`(c_in, c_out, k_h, k_w)`, in 2^-20."""
    bias: Whole
    """`(c_out,)`, in 2^-20."""
    steps: Floats
    """W, `(T, T)`."""
    padding: tuple[int, int]
    form: str

    def __post_init__(self) -> None:
        shape = self.weight.shape
        if len(shape) != 4 or 0 in shape:
            raise BundleInvalid("taid", "weight", got=shape, relation="is not", limit="(c_in, c_out, k_h, k_w)")
        _check_array("taid", "weight", self.weight, shape, np.int64)
        _check_array("taid", "bias", self.bias, shape[1:2], np.int64)
        _check_array("taid", "attention", self.steps, (len(self.steps),) * 2, np.float64)
        if self.form not in FORMS:
            raise UnknownName("taid", "form", got=self.form, relation="is not one of", limit=", ".join(FORMS))
        pairs = list(zip(self.padding, shape[2:], strict=False))
        if len(self.padding) != 2 or not all(type(p) is int and 0 <= p < k for p, k in pairs):
            raise BundleInvalid(
                "taid", "padding", got=self.padding, relation="is not below the kernel,", limit=shape[2:]
            )

    def image_of(self, source: tuple[int, ...]) -> tuple[int, int, int]:
        """The image's shape, of the spikes' `(c_in, h, w)`; raises InputError where they do not fit."""
        c_in, c_out, *kernel = self.weight.shape
        if len(source) != 3 or source[0] != c_in:
            raise BundleInvalid("taid", "spikes", got=source, relation="are not", limit=f"({c_in}, h, w)")
        h, w = (n + k - 1 - 2 * p for n, k, p in zip(source[1:], kernel, self.padding, strict=True))
        if min(h, w) < 1:
            raise BundleInvalid("taid", "padding", got=self.padding, relation="leaves nothing of", limit=source)
        most = np.abs(self.weight.astype(np.float64)).sum((0, 2, 3)) + np.abs(self.bias.astype(np.float64))
        if not most.sum() * h * w < host.EXACT:
            got = f"{most.sum() * h * w:.3g}"
            raise BundleInvalid("taid", "sum over places", got=got, relation="is not below", limit="2^53")
        return c_out, h, w


@dataclass(frozen=True, eq=False)
class Bundle:
    """Checked when made: what fits together here runs."""

    encoder: Program | None
    """Images `(T, B, c, h, w)` to spikes `(T, B, D)`."""
    decoder: Program
    """Spikes `(T, B, D)` to v of the image, read at the last step, or to the spikes that TAID makes the image of."""
    steps: int
    """T."""
    pixels: Pixels
    bottleneck: Bottleneck | None = None
    attention: Attention | None = None
    """None: the decoder's output reads v."""

    def __post_init__(self) -> None:
        if type(self.steps) is not int or not 1 <= self.steps <= 1 << 15:
            raise BundleInvalid("bundle", "steps", got=self.steps, relation="is not in", limit=f"[1, {1 << 15}]")
        shape = self.image_shape
        _check_ends("decoder", self.decoder, "spike", (self.latent,), "s" if self.attention else "v")
        if self.attention is not None and len(self.attention.steps) != self.steps:
            raise BundleInvalid("taid", "steps", got=len(self.attention.steps), relation="are not", limit=self.steps)
        if self.bottleneck is not None and len(self.bottleneck.bias) != self.latent:
            got = len(self.bottleneck.bias)
            raise BundleInvalid("bottleneck", "latent neurons", got=got, relation="are not", limit=self.latent)
        if self.encoder is not None:
            _check_ends("encoder", self.encoder, "bias", shape, "s")
            entry, sent = self.encoder.inputs[0], self.encoder.shape_of(self.encoder.outputs[0].source)
            if sent != (self.latent,):
                raise BundleInvalid("encoder", "output", got=sent, relation="is not", limit=(self.latent,))
            if (entry.low, entry.high) != (self.pixels.low, self.pixels.high):
                limit = f"[{self.pixels.low}, {self.pixels.high}]"
                raise BundleInvalid(
                    "encoder", "input", got=f"[{entry.low}, {entry.high}]", relation="is not", limit=limit
                )
        for name, program in self.programs.items():
            short = [g.name for g in program.groups if 0 < g.reset_interval < self.steps]
            if short:
                raise BundleInvalid(name, "state cleared within a sample", got=short[0], do="compile with more steps")

    @property
    def programs(self) -> dict[str, Program]:
        """By name, in the order of the data."""
        found = {"encoder": self.encoder, "decoder": self.decoder}
        return {name: program for name, program in found.items() if program is not None}

    @property
    def latent(self) -> int:
        """D."""
        return self.decoder.inputs[0].size

    @property
    def image_shape(self) -> tuple[int, ...]:
        """`(c, h, w)`."""
        last = self.decoder.shape_of(self.decoder.outputs[0].source)
        return last if self.attention is None else self.attention.image_of(last)


def _check_ends(name: str, program: Program, kind: str, shape: tuple[int, ...], reads: str) -> None:
    """One input and one output, of these kinds."""
    if len(program.inputs) != 1 or len(program.outputs) != 1:
        got = f"{len(program.inputs)}, {len(program.outputs)}"
        raise BundleInvalid(name, "inputs and outputs", got=got, relation="are not", limit="1, 1")
    entry, output = program.inputs[0], program.outputs[0]
    if entry.kind != kind or entry.shape != shape:
        limit = f"{kind} {shape}"
        raise BundleInvalid(name, "input", got=f"{entry.kind} {entry.shape}", relation="is not", limit=limit)
    if output.reads != reads:
        raise BundleInvalid(name, "output reads", got=output.reads, relation="is not", limit=reads)


def _check_array(where: str, what: str, x: NDArray[Any], shape: tuple[int, ...], dtype: type[np.generic]) -> None:
    if not isinstance(x, np.ndarray) or x.dtype != dtype or x.shape != shape:
        got = f"{getattr(x, 'dtype', type(x).__name__)} {getattr(x, 'shape', ())}"
        raise BundleInvalid(where, what, got=got, relation="is not", limit=f"{np.dtype(dtype)} {shape}")
    if not np.isfinite(x).all():
        raise BundleInvalid(where, what, got="NaN or infinity", relation="is not", limit="a finite number")
