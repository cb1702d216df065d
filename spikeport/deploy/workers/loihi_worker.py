"""Runs a Program on a Loihi 2 through Lava. Needs Intel's lava-loihi and this folder, nothing else.

    python loihi_worker.py PROGRAM.h5 INPUT.npz OUTPUT.h5 [--record GROUP,GROUP] [--power]

INPUT.npz is that of `lava_worker.py`. OUTPUT.h5 holds `GROUP/s`, and of recorded groups the state, such as `GROUP/u`,
int32 `(steps, B, *shape)` after each of the Program's hardware steps, and under `hardware-run` what was measured.

Every edge between Python and cores goes through an adapter of `lava.proc.embedded_io`. How many steps adapters and
probes lag is measured on the board, by a pilot of a few neurons, and taken off. Images lie as (x, y, c) and meet as in
lava-dl's netx, which is how Intel's own networks were laid out on the chip.

With `--stand-ins` the classes that are not public are those of `chip_standins.py`, on Lava's CPU runtime; with
`--dry-run` nothing runs, and OUTPUT is a JSON text that says what would be built.
"""

import argparse
import json
import os
import tempfile
from collections.abc import Mapping
from typing import Any

import chip_standins
import numpy as np
from chip_board import connect_board, leave_nothing, load_classes, patience
from chip_dry_run import dry_run
from chip_meters import measured
from chip_net import kinds_of, read_for_chip
from chip_pilot import pilot
from chip_run import run_sample
from lava_classes import load_lava, versions
from program_parts import read_inputs, tell_done

HARDWARE = "hardware-run"
FORMAT = 1


def run_files(args: Any, board: dict[str, str]) -> None:
    program = read_for_chip(args.program)
    inputs = read_inputs(args.input, program, args.samples)
    length, batch = next(iter(inputs.values())).shape[:2]
    record = [name for name in args.record.split(",") if name]
    with tempfile.TemporaryDirectory() as folder, patience(args.wait):
        offsets = pilot(kinds_of(program), folder)
    steps = length + program.latency
    runs = []
    for b in range(batch):
        x = {name: x[:, b] for name, x in inputs.items()}
        runs.append(run_sample(program, x, record, offsets, steps, args.power))
        tell_done()
    arrays = {key: np.stack([trace[key] for trace, _ in runs], axis=1) for key in runs[0][0]}
    arrays |= {f"{HARDWARE}/{key}": x for key, x in measured([meters for _, meters in runs if meters]).items()}
    facts = {"format": FORMAT, "board": board, "versions": versions(), "offsets": offsets._asdict()}
    facts |= {"program_file_sha256": seal_of(args.program), "steps": steps, "samples": batch}
    arrays[f"{HARDWARE}/facts"] = np.array(json.dumps(facts).encode())
    write(args.output, arrays)


def seal_of(path: str) -> str:
    with open(path, "rb") as file:
        return file.read(512).rstrip(b"\0\n").decode("ascii", "replace").split(" ")[-1]


def write(path: str, arrays: Mapping[str, Any]) -> None:
    """There whole or not at all."""
    import h5py

    part = f"{path}.part"
    try:
        with h5py.File(part, "w") as file:
            for key, x in arrays.items():
                file.create_dataset(key, data=x, compression="gzip" if np.ndim(x) else None)
        os.replace(part, path)
    finally:
        if os.path.exists(part):
            os.unlink(part)


def main() -> None:
    parser = argparse.ArgumentParser(description="Runs a spikeport Program on a Loihi 2.")
    parser.add_argument("program", metavar="PROGRAM.h5")
    parser.add_argument("input", metavar="INPUT.npz")
    parser.add_argument("output", metavar="OUTPUT.h5")
    parser.add_argument("--record", default="", metavar="GROUPS", help="groups whose state is probed, with commas")
    parser.add_argument("--samples", type=int, help="run only the first SAMPLES of the batch")
    parser.add_argument("--power", action="store_true", help="measure power, time and activity")
    parser.add_argument("--wait", type=float, default=600.0, metavar="S", help="seconds until the board must answer")
    parser.add_argument("--dry-run", action="store_true", help="build everything with stand-ins, run nothing")
    parser.add_argument(
        "--stand-ins", metavar="IN,OUT,PROBE", help="run on Lava's CPU runtime, the edges late by so many steps"
    )
    args = parser.parse_args()
    leave_nothing()
    load_lava()
    if args.dry_run or args.stand_ins is not None:
        chip_standins.load(*(int(n) for n in (args.stand_ins or "0,0,0").split(",")))
        board = {"stand_ins": "Lava's CPU runtime"}
        if args.dry_run:
            dry_run(args)
            return
    else:
        board = connect_board(args.wait)
        load_classes()
    run_files(args, board)


if __name__ == "__main__":
    main()
