"""What there is to know of an autoencoder's training run: its pictures in torch, and in what it compiles to."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spikeport.autoencoder import Bundle
from spikeport.autoencoder_file import save_bundle
from spikeport.commands.autoencoders.compile import compiled_phases
from spikeport.commands.autoencoders.energy import arithmetic_profile, energy_table, priced_tasks
from spikeport.commands.bars import say
from spikeport.commands.report.blocks import Block, Grid, Listed, Stage
from spikeport.commands.report.known import Compared, Known
from spikeport.commands.report.of_bundle import (
    Passed,
    beside,
    lede,
    observed,
    painted,
    spikes_of,
    stages_of,
    warnings_of,
)
from spikeport.commands.report.of_program import ARITHMETIC, TARGET, Asked
from spikeport.commands.report.pictures import SHOWN, Painted
from spikeport.errors import DeployError, ExportError, OverflowDetected
from spikeport.export.autoencoder import AutoencoderGraphs, from_autoencoder
from spikeport.sim.generate import Images, decode, generate, reconstruct
from spikeport.train import measures, set_quantize
from spikeport.train.autoencoders import AnnVAE, Autoencoder, FadTraining, Latent, SpikingAutoencoder
from spikeport.train.data import DataSet, centred
from spikeport.train.loop.tested import Pictures
from spikeport.train.measures.passes import BATCH, GENERATED, evaluating, passes, prior_noise, real, square_errors

SEED = 0
COUNTED = 256
"""Images whose operations are counted."""


@dataclass(frozen=True, eq=False)
class InTorch:
    """What a model makes of images in eval mode, and of its prior; pixels in [-1, 1]."""

    images: Tensor
    """The network's integers `(B, c, h, w)`."""
    again: NDArray[np.float64]
    """`(B, c, h, w)`."""
    error: float
    spikes: NDArray[np.uint8] | None
    """The decoder's input `(T, B, D)`; None: it has no spikes."""
    generated: NDArray[np.float64]
    """`(n, c, h, w)`; none where there is no prior."""


def images_of(data: DataSet, count: int) -> Tensor:
    """The first `count` test images, all if 0, as the network takes them."""
    return torch.from_numpy(centred(data, data.test.images[: count or None]))


def in_torch(model: Autoencoder, images: Tensor) -> InTorch:
    """In batches, each with its noise.

    Raises:
        OverflowDetected, ExportError: quantized, and the integers overflow, or are none of a chip.
    """
    again, errors, spikes = [], [], []
    with evaluating(model):
        for x, noise in passes(model, images, SEED):
            found = model(x, noise)
            again.append(found.image.double().numpy())
            errors.append(square_errors(found.image, real(model, x)))
            if isinstance(found.latent, Latent):
                spikes.append(found.latent.spikes.numpy().astype(np.uint8))
        generated = again[0][:0]
        if not isinstance(model, FadTraining):
            generated = model.generate(SHOWN, prior_noise(model, SHOWN, SEED, 0)).double().numpy()
    z = np.concatenate(spikes, axis=1) if spikes else None
    return InTorch(images, np.concatenate(again), float(torch.cat(errors).mean()), z, generated)


def tested(model: Autoencoder, images: Tensor) -> tuple[InTorch, Pictures]:
    """With integer weights where they can be, and the errors of both."""
    set_quantize(model, False)
    found = floating = in_torch(model, images)
    quantized = None
    if isinstance(model, SpikingAutoencoder):
        set_quantize(model, True)
        try:
            found = in_torch(model, images)
            quantized = found.error
        except (OverflowDetected, ExportError):
            set_quantize(model, False)
    none = np.zeros((0, *model.source.shape), np.uint8)
    spiking = isinstance(model, SpikingAutoencoder)
    return found, Pictures(len(images), floating.error, quantized, none, none, none, spiking)


def of_autoencoder(asked: Asked, known: Known, model: Autoencoder, found: InTorch, chip: str) -> Known:
    """What a run's page shows beside its course."""
    known = replace(
        known,
        painted=painted_by_torch(model, found),
        priced=priced(model, found.images[:COUNTED]),
        commands=[*known.commands, *[["spikeport", "evaluate", asked.subject]] * (not isinstance(model, FadTraining))],
    )
    if not isinstance(model, SpikingAutoencoder):
        return replace(known, no_program="The model has no spikes, so no Program is made of it.")
    try:
        graphs, why = graphs_of(model)
        say("compiling")
        return _with_bundle(asked, known, graphs, why, found, chip)
    except (ExportError, DeployError, OverflowDetected) as error:
        return replace(known, no_program=f"The network has no Programs that run: {error}")


def graphs_of(model: SpikingAutoencoder) -> tuple[AutoencoderGraphs, str]:
    """Of the whole, or of the decoder alone and why."""
    try:
        return from_autoencoder(model), ""
    except ExportError as error:
        return from_autoencoder(model, "decoder"), str(error)


def _with_bundle(asked: Asked, known: Known, graphs: AutoencoderGraphs, why: str, found: InTorch, chip: str) -> Known:
    bundle = graphs.of_programs(**{name: one.program for name, one in compiled_phases(graphs, chip).items()})
    passed = through(bundle, found)
    phases = observed(bundle, passed, known.subject)
    compared = [beside_torch(found, passed), *(beside(phases) if asked.verify else [])]
    part = ["--part", "decoder"] * (bundle.encoder is None) + ["--target", chip] * (chip != TARGET)
    return replace(
        known,
        lede=f"{known.lede} {lede(bundle)}",
        stages=[*known.stages, *_compiled(bundle), *spikes_of(phases)],
        phases=phases,
        painted=painted(bundle, passed),
        compared=compared,
        warnings=[*[f"The decoder alone is deployed: {why}"] * bool(why), *warnings_of(phases)],
        commands=[*known.commands, ["spikeport", "compile", asked.subject, *part, "-o", "bundle"]],
    )


def through(bundle: Bundle, found: InTorch) -> Passed:
    """The same images, or latent spikes where there is no encoder, through the Programs, with the same noise."""
    path, images = Path("the test images"), found.images.numpy()
    made = None
    if bundle.bottleneck is not None:
        made = generate(bundle, len(found.generated), (SEED, GENERATED, 0))
    if bundle.encoder is None:
        z = found.spikes
        assert z is not None
        return Passed(path, images, Images(decode(bundle, z), z, z.mean(0)), made)
    parts = [
        reconstruct(bundle, images[start : start + BATCH], (SEED, 0, k))
        for k, start in enumerate(range(0, len(images), BATCH))
    ]
    return Passed(path, images, _whole(parts), made)


def _whole(parts: Sequence[Images]) -> Images:
    image, rates = (np.concatenate([getattr(part, name) for part in parts]) for name in ("image", "rates"))
    return Images(image, np.concatenate([part.spikes for part in parts], axis=1), rates)


def beside_torch(found: InTorch, passed: Passed) -> Compared:
    """Every pixel, as real numbers."""
    assert passed.again is not None
    pairs = [(found.again, passed.again.image)]
    if passed.generated is not None:
        pairs.append((found.generated, passed.generated.image))
    differing = sum(int(np.count_nonzero(a != b)) for a, b in pairs)
    what = f"every pixel of {len(found.again):,} reconstructions"
    what += f" and {len(found.generated):,} generated pictures" * (passed.generated is not None)
    return Compared("torch", f"{what}, before 8 bits", sum(a.size for a, _ in pairs), differing)


def painted_by_torch(model: Autoencoder, found: InTorch) -> Painted:
    """Where there is no Program; its error is among the run's facts."""
    given = _pictures(found.images.numpy() * model.source.scale)
    return Painted("torch in eval mode", given, _pictures(found.again), _pictures(found.generated))


def _pictures(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    return np.rint((values + 1) * 127.5).clip(0, 255).astype(np.uint8)


def priced(model: Autoencoder, images: Tensor) -> list[Block]:
    """As `spikeport evaluate` prices operations."""
    if not isinstance(model, SpikingAutoencoder | AnnVAE):
        return []
    profile = arithmetic_profile(ARITHMETIC[0])
    tasks = (
        measures.reconstruction_operations(model, images, seed=SEED),
        measures.generation_operations(model, len(images), seed=SEED),
    )
    table = energy_table(priced_tasks(tasks, measures.ann_operations(model.plan), profile), profile, tasks[0].samples)
    grid = Grid("Operations and energy of one image, by the papers' conventions", table.columns, table.rows,
                names=("convention",))  # fmt: skip
    return [grid, Listed(table.notes)]


def _compiled(bundle: Bundle) -> list[Stage]:
    """As `spikeport compile` writes them."""
    with tempfile.TemporaryDirectory() as name:
        save_bundle(bundle, Path(name) / "bundle")
        return list(stages_of(Path(name) / "bundle"))
