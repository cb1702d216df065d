"""What there is to know of an autoencoder's bundle: two Programs, and the pictures that go through them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikeport.autoencoder import Bundle
from spikeport.autoencoder_file import FILES, load_bundle
from spikeport.commands.autoencoders.generate import error_of
from spikeport.commands.mapping.design import mapped
from spikeport.commands.report.beside import beside_lava
from spikeport.commands.report.blocks import Stage
from spikeport.commands.report.known import Compared, Known
from spikeport.commands.report.of_program import LAVA_SAMPLES, Asked, known_of, observe_first, sha256_of, spikes_stage
from spikeport.commands.report.pictures import SHOWN, Painted
from spikeport.commands.samples import Samples, read_npz
from spikeport.errors import FileError, OptionMisused
from spikeport.sim.generate import Images, decode, generate, reconstruct, shown

SEED = 0
WHOSE = "the Programs in the simulator"
NO_INPUT = "For reconstructions give pictures: --input X.NPZ with 'images' (B, c, h, w), of 8 bits."
NO_ENCODER = "The bundle has no encoder, so there are no reconstructions."
NO_PRIOR = (
    "The bundle has no prior on the host: for pictures give latent spikes, --input Z.NPZ with 'spikes' (T, B, D)."
)


@dataclass(frozen=True, eq=False)
class Passed:
    """What went through a bundle."""

    path: Path
    given: NDArray[np.integer] | None
    """The network's integers `(B, c, h, w)`; None: latent spikes alone."""
    again: Images | None
    """What came of them, or of latent spikes that were given."""
    generated: Images | None

    @property
    def latent(self) -> NDArray[np.uint8] | None:
        """The decoder's input, `(T, B, D)`."""
        found = self.again or self.generated
        return None if found is None else found.spikes


def of_bundle(asked: Asked) -> Known:
    """Of a bundle's folder, and pictures or latent spikes.

    Raises:
        FileError, InputError: files that are no such files, or that do not belong together.
    """
    folder = asked.subject
    _refuse(asked)
    bundle = load_bundle(folder)
    passed = _passed(asked, bundle)
    phases = observed(bundle, passed, str(folder))
    compared = list(beside(phases)) if asked.verify else []
    return Known(
        str(folder),
        f"Autoencoder: {folder.resolve().name}",
        lede(bundle),
        stages=[*stages_of(folder), *_after(asked, phases)],
        phases=phases,
        painted=painted(bundle, passed),
        compared=compared,
        warnings=warnings_of(phases),
        command=asked.command,
        commands=list(_commands(asked, bundle)),
    )


def lede(bundle: Bundle) -> str:
    image = " × ".join(map(str, bundle.image_shape))
    said = f"Pictures of {image}, {bundle.latent:,} latent neurons, {bundle.steps:,} steps"
    return f"{said}; " + "; ".join(f"{name} for {program.chip}" for name, program in bundle.programs.items()) + "."


def observed(bundle: Bundle, passed: Passed, subject: str) -> dict[str, Known]:
    """Each Program on what it was given."""
    given: dict[str, tuple[Path, NDArray[np.integer]]] = {}
    if passed.given is not None:
        given["encoder"] = passed.path, shown(bundle, passed.given.astype(np.int16))
    if passed.latent is not None:
        given["decoder"] = Path("the latent spikes"), passed.latent
    found = {}
    for name, program in bundle.programs.items():
        place, ran = mapped(program, program.chip), None
        if name in given:
            path, x = given[name]
            ran = observe_first(place, Samples(path, {program.inputs[0].name: x}, None), 0)
        found[name] = known_of(place, ran, subject, name)
    return found


def painted(bundle: Bundle, passed: Passed) -> Painted:
    """As 8-bit pictures."""
    none = np.zeros((0, *bundle.image_shape), np.uint8)
    given, again, generated = none, none, none
    error, missing = None, []
    if passed.given is None:
        missing.append(NO_ENCODER if bundle.encoder is None else NO_INPUT)
    if passed.again is None and bundle.bottleneck is None:
        missing.append(NO_PRIOR)
    if passed.again is not None:
        again = bundle.pixels.to_pictures(passed.again.image)
        if passed.given is not None:
            given = bundle.pixels.to_pictures(passed.given.astype(np.float64) * bundle.pixels.scale)
            error = error_of(bundle, passed.given, passed.again)
    if passed.generated is not None:
        generated = bundle.pixels.to_pictures(passed.generated.image)
    return Painted(WHOSE, given, again, generated, error, missing)


def beside(phases: dict[str, Known]) -> Iterator[Compared]:
    """Lava on what each Program was given."""
    for name, phase in phases.items():
        if phase.program is not None and phase.ran is not None:
            found = beside_lava(phase.program, phase.ran.samples.first(LAVA_SAMPLES))
            yield replace(found, against=f"{found.against}, {name}")


def stages_of(folder: Path) -> Iterator[Stage]:
    """The files of a bundle."""
    for name in sorted(FILES):
        if (folder / name).is_file():
            yield Stage("compile", name, sha256_of(folder / name))


def warnings_of(phases: dict[str, Known]) -> list[str]:
    return [f"{name.capitalize()}: {text}" for name, phase in phases.items() for text in phase.warnings]


def spikes_of(phases: dict[str, Known]) -> Iterator[Stage]:
    """What each Program gave."""
    for name, phase in phases.items():
        if phase.ran is not None:
            stage = spikes_stage(phase.ran)
            yield replace(stage, made=f"{stage.made}, {name}")


def _refuse(asked: Asked) -> None:
    given = [f"--{name}" for name in ("run", "nir", "data") if getattr(asked, name) is not None]
    if given:
        do = f"report a Program of it: spikeport report {asked.subject / 'decoder.h5'}"
        got, limit = ", ".join(given), "an autoencoder's bundle"
        raise OptionMisused(str(asked.subject), "options", got=got, relation="do not apply to", limit=limit, do=do)


def _passed(asked: Asked, bundle: Bundle) -> Passed:
    """The input through the bundle; and pictures of the prior, where it has one."""
    made = None if bundle.bottleneck is None else generate(bundle, SHOWN, SEED)
    if asked.input is None:
        return Passed(Path("the prior"), None, None, made)
    arrays = read_npz(asked.input)
    if "images" in arrays:
        given = bundle.pixels.of_pictures(np.atleast_1d(arrays["images"])[: asked.samples or None])
        return Passed(asked.input, given, reconstruct(bundle, given, SEED), made)
    if "spikes" not in arrays:
        do = "write 8-bit pictures (B, c, h, w) as 'images', or latent spikes (T, B, D) as 'spikes'"
        raise FileError(str(asked.input), "holds no array", got="'images' or 'spikes'", do=do)
    latent = Samples(asked.input, {"z": arrays["spikes"]}, None)
    z = (latent.first(asked.samples) if asked.samples else latent).inputs["z"]
    return Passed(asked.input, None, Images(decode(bundle, z), z.astype(np.uint8), z.mean(0)), made)


def _after(asked: Asked, phases: dict[str, Known]) -> Iterator[Stage]:
    if asked.input is not None:
        yield Stage("input", asked.input.name, sha256_of(asked.input))
    yield from spikes_of(phases)


def _commands(asked: Asked, bundle: Bundle) -> Iterator[list[object]]:
    folder, more = asked.subject, list[object]()
    yield ["spikeport", "check", folder]
    if bundle.bottleneck is not None:
        more = ["--decoder-input", "z.npz"]
        yield ["spikeport", "generate", folder, "--count", SHOWN, "-o", "generated.png", *more]
    if bundle.encoder is not None and asked.input is not None:
        more = ["--encoder-input", "x.npz", "--decoder-input", "z.npz"]
        yield ["spikeport", "reconstruct", folder, "--input", asked.input, "-o", "again.png", *more]
        yield ["spikeport", "energy", folder / "encoder.h5", "--input", "x.npz"]
    if more:
        yield ["spikeport", "energy", folder / "decoder.h5", "--input", "z.npz"]
    yield from (["spikeport", "map", folder / f"{name}.h5"] for name in bundle.programs)
