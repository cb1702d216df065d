"""`spikeport compile` and `spikeport check` of an autoencoder: a run's folder, or a bundle."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from torch import nn

from spikeport.atomic import check_replaceable
from spikeport.autoencoder import Bundle
from spikeport.autoencoder_file import FILES, is_bundle, load_bundle, save_bundle
from spikeport.chip import chip_named
from spikeport.commands.answer import Answer, Table
from spikeport.commands.compiling.compile import check_compiled, does_not_fit, size_of, summary
from spikeport.commands.samples import check_file_writable, write_npz
from spikeport.deploy import Compiled, compile_graph, compiled
from spikeport.deploy import check as check_program
from spikeport.errors import PartMissing
from spikeport.export.autoencoder import AutoencoderGraphs, from_autoencoder
from spikeport.profiles import Profile
from spikeport.program import Program
from spikeport.train import load_run
from spikeport.train.autoencoders import Autoencoder
from spikeport.train.data import DataSet

Part = Literal["all", "decoder"]


@dataclass(frozen=True)
class Asked:
    """How a run is to be compiled."""

    target: str = "loihi2"
    part: Part = "all"
    profile: Profile = "strict"
    data: Path | None = None
    """Where the data set's files lie."""
    samples: Path | None = None
    """Where to write the test images."""
    anyway: bool = False


def compile_run(folder: Path, output: Path, asked: Asked) -> Answer:
    """A run's folder to a bundle; refused if a Program does not fit the chip.

    Raises:
        ExportError: a model that no bundle holds, with the reason. RuleError: it does not fit.
    """
    chip_named(asked.target)
    check_replaceable(output, FILES)
    if asked.samples is not None:
        check_file_writable(asked.samples)
    data, model = _trained(folder, asked.data)
    graphs = from_autoencoder(model, asked.part)
    phases = compiled_phases(graphs, asked.target, asked.profile)
    broken = {name: check_program(phase.program) for name, phase in phases.items()}
    for name, found in broken.items():
        if found and not asked.anyway:
            raise does_not_fit(f"{folder}, {name}", asked.target, found)
    bundle = graphs.of_programs(**{name: phase.program for name, phase in phases.items()})
    save_bundle(bundle, output)
    if asked.samples is not None:
        write_npz(asked.samples, {"images": data.test.images[:], "labels": data.test.labels})
    return _compiled(folder, output, asked, bundle, {n: summary(p, asked.target, broken[n]) for n, p in phases.items()})


def compiled_phases(
    graphs: AutoencoderGraphs, target: str = "loihi2", profile: Profile = "strict"
) -> dict[str, Compiled]:
    """Encoder, where there is one, and decoder."""
    found = {"encoder": graphs.encoder, "decoder": graphs.decoder}
    told: dict[str, Any] = {"steps": graphs.steps, "profile": profile}
    return {name: compiled(graph, target, **told) for name, graph in found.items() if graph is not None}


def deployed(model: nn.Module, target: str = "loihi2", part: Part = "all", profile: Profile = "strict") -> Bundle:
    """A trained autoencoder in eval mode, compiled; whether it fits the chip is not asked.

    Raises:
        ExportError: a model that no bundle holds, with the reason.
    """
    compiler = partial(compile_graph, chip=target, profile=profile)
    return from_autoencoder(_autoencoder("model", model), part).bundle(compiler)


def check_folder(folder: Path, asked: Asked, strict_overflow: bool = False) -> Answer:
    """As `check`, of both Programs of a run or of a bundle."""
    chip_named(asked.target)
    answers = {
        name: check_compiled(f"{folder}, {name}", program, remarks, asked.target, None, strict_overflow)
        for name, (program, remarks) in _programs(folder, asked).items()
    }
    fits = all(answer.data["fits"] for answer in answers.values())
    data = {"file": str(folder), "target": asked.target, "fits": fits}
    data["programs"] = {name: answer.data for name, answer in answers.items()}
    tables: list[Table] = []
    for answer in answers.values():
        tables += [Table(answer.title, answer.columns, answer.rows), *answer.tables]
    notes = [f"{name}: {note}" for name, answer in answers.items() for note in answer.notes]
    code = max(answer.exit_code for answer in answers.values())
    title = f"{folder} {'fits' if fits else 'does not fit'} {asked.target}"
    return Answer(data, title, notes=notes, exit_code=code, tables=tables)


def _programs(folder: Path, asked: Asked) -> dict[str, tuple[Program, tuple[str, ...]]]:
    """With what was guessed, repaired and decided."""
    if is_bundle(folder):
        programs = load_bundle(folder).programs
        return {name: (programs[name], ()) for name in programs if name == "decoder" or asked.part == "all"}
    graphs = from_autoencoder(_trained(folder, asked.data)[1], asked.part)
    return {name: (p.program, p.remarks) for name, p in compiled_phases(graphs, asked.target, asked.profile).items()}


def _trained(folder: Path, data_folder: Path | None) -> tuple[DataSet, Autoencoder]:
    _, data, model = load_run(folder, data_folder)
    return data, _autoencoder(str(folder), model)


def _autoencoder(where: str, model: nn.Module) -> Autoencoder:
    if not isinstance(model, Autoencoder):
        do = "for any other run: spikeport export RUN -o net.nir"
        raise PartMissing(where, "model", got=type(model).__name__, relation="is not", limit="an autoencoder", do=do)
    return model


def _compiled(folder: Path, output: Path, asked: Asked, bundle: Bundle, found: Mapping[str, Answer]) -> Answer:
    readout = "membrane" if bundle.attention is None else "taid"
    data: dict[str, Any] = {"bundle": str(output), "target": asked.target, "steps": bundle.steps}
    data |= {"latent": bundle.latent, "image": list(bundle.image_shape), "readout": readout}
    data |= {"generates": bundle.bottleneck is not None, "reconstructs": bundle.encoder is not None}
    data["programs"] = {name: {"file": f"{output / name}.h5", **answer.data} for name, answer in found.items()}
    tables = [Table(name, answer.columns, answer.rows) for name, answer in found.items()]
    notes = [f"{name}: {note}" for name, answer in found.items() for note in answer.notes]
    notes += [f"{name}: {size_of(p)}; its output lags by {p.latency} steps" for name, p in bundle.programs.items()]
    notes.append(f"{output} written: {bundle.latent} latent neurons, {bundle.steps} steps, readout {readout}")
    if asked.samples is not None:
        data["samples"] = str(asked.samples)
        notes.append(f"{asked.samples} written: the test images")
    return Answer(data, f"{folder} for {asked.target}", notes=notes, tables=tables)
