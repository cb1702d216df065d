"""`spikeport bundle`."""

import hashlib
from pathlib import Path

from spikeport.atomic import replacing
from spikeport.commands.answer import Answer
from spikeport.commands.proof.members import Given, members_of, nir_differs, program_of, versions
from spikeport.commands.proof.sealed import sealed_bytes
from spikeport.commands.running.run import say_if_cleared_midway
from spikeport.commands.samples import check_file_writable, read_samples
from spikeport.errors import FileMismatch, OptionMisused, PathTaken, no_file


def bundle(net: Path, input_path: Path, nir_path: Path | None, samples: int, output: Path) -> Answer:
    """Runs a Program on the first samples of an input and writes all that proves it into one zip file.

    Raises:
        FileError: a file is missing, damaged, or would be overwritten; `nir_path` is not what was compiled.
        InputError, OverflowDetected: as `simulate`.
    """
    _check_paths(net, input_path, nir_path, output)
    data = net.read_bytes()
    program = program_of(data, str(net))
    nir = None if nir_path is None else nir_path.read_bytes()
    if nir is not None and (why := nir_differs(program, nir)):
        do = "name the file that it was compiled from, or leave out --nir"
        raise FileMismatch(str(nir_path), f"is not the graph of {net}: {why}", do=do)
    given = read_samples(input_path, program).first(samples)
    say_if_cleared_midway(program, len(next(iter(given.inputs.values()))))
    members, layers = members_of(Given(program, data, given.inputs, nir))
    packed = sealed_bytes(members, versions())
    with replacing(output) as name:
        Path(name).write_bytes(packed)
    sha256 = hashlib.sha256(packed).hexdigest()
    batch = next(iter(given.inputs.values())).shape[1]
    listed = [{"name": layer.group.name, "spikes": layer.spikes, "sha256": layer.sha256} for layer in layers]
    return Answer(
        {
            "output": str(output),
            "bytes": len(packed),
            "sha256": sha256,
            "samples": batch,
            "files": {member: len(x) for member, x in members.items()},
            "layers": listed,
        },
        f"{output}: {len(packed):,} bytes",
        ("layer", "neurons", "spikes", "SHA-256 of its spikes"),
        [(x.group.name, f"{x.group.size:,}", f"{x.spikes:,}", x.sha256["s"][:16] + "...") for x in layers],
        [
            f"SHA-256 {sha256}",
            f"try: spikeport verify {output}; or without spikeport: unzip it and run python replay.py",
        ],
    )


def _check_paths(net: Path, input_path: Path, nir: Path | None, output: Path) -> None:
    if net.is_dir():
        do = "bundle one Program of it, as encoder.h5 or decoder.h5, with an input of its own"
        raise OptionMisused(str(net), "is a folder", do=do)
    for path in (net, input_path, nir):
        if path is None:
            continue
        if not path.is_file():
            raise no_file(path)
        if output.exists() and output.samefile(path):
            raise PathTaken(str(output), "is what the bundle is made from", do="name another file with -o")
    check_file_writable(output)
