# /// script
# requires-python = ">=3.10,<3.11"
# dependencies = [
#     "asteval==0.9.33",
#     "h5py==3.12.1",
#     "joblib==1.4.2",
#     "lava-dl==0.6.0",
#     "lava-nc==0.10.0",
#     "networkx==2.8.7",
#     "numpy==1.26.4",
#     "scikit-learn==1.5.2",
#     "scipy==1.14.1",
#     "threadpoolctl==3.5.0",
# ]
#
# [tool.uv]
# # lava-dl asks for gigabytes that only its training code imports.
# override-dependencies = [
#     "matplotlib; sys_platform == 'never'",
#     "ninja; sys_platform == 'never'",
#     "opencv-python-headless; sys_platform == 'never'",
#     "pillow; sys_platform == 'never'",
#     "pytest; sys_platform == 'never'",
#     "torch; sys_platform == 'never'",
#     "torchvision; sys_platform == 'never'",
#     "unittest2; sys_platform == 'never'",
# ]
# ///
"""Runs Program files on Lava. Needs nothing of spikeport: copy this folder to where Lava is.

    uv run --script lava_worker.py PROGRAM.h5 INPUT.npz OUTPUT.npz [PROGRAM.h5 INPUT.npz OUTPUT.npz ...]

INPUT.npz holds one integer array `(T, B, *shape)` per input of the Program.
OUTPUT.npz holds for each neuron group its spikes `GROUP/s` and its state, such as `GROUP/u`, int32
`(steps, B, *shape)` after each hardware step 1..T + latency, and `meta`, a JSON text. Mode `runtime` gives the
state after the last step only, but v at each step where an output of the Program reads it.

Every sum, shift, decay, wrap and comparison is done by Lava's process models; this file only carries arrays
between them. Mode `models` calls the models in one process; mode `runtime` runs them on Lava's runtime.
"""

import argparse
import json
import sys
import warnings
from typing import Any

import numpy as np
from lava_classes import load_lava, versions
from lava_models import run_models
from lava_runtime import run_runtime
from program_parts import read_inputs, read_program, tell_done


def run_job(program_path: str, input_path: str, output_path: str, mode: str, samples: int | None) -> None:
    program = read_program(program_path)
    inputs = read_inputs(input_path, program, samples)
    length, batch = next(iter(inputs.values())).shape[:2]
    run = {"models": run_models, "runtime": run_runtime}[mode]
    runs = []
    for b in range(batch):
        runs.append(run(program, {k: x[:, b] for k, x in inputs.items()}, length + program.latency))
        tell_done()
    trace: Any = {key: np.stack([one[key] for one in runs], axis=1) for key in runs[0]}
    np.savez(output_path, meta=json.dumps({"mode": mode, **versions()}), **trace)


def main() -> None:
    parser = argparse.ArgumentParser(description="Runs spikeport Program files on Lava.")
    parser.add_argument("files", nargs="*", metavar="FILE", help="PROGRAM.h5 INPUT.npz OUTPUT.npz, once or repeated")
    parser.add_argument("--mode", choices=("models", "runtime"), default="models")
    parser.add_argument("--samples", type=int, help="run only the first SAMPLES of the batch")
    parser.add_argument("--check", action="store_true", help="print the interpreter and the versions as JSON, and stop")
    args = parser.parse_args()
    if args.check:
        print(json.dumps({"executable": sys.executable, **versions()}))
        return
    if not args.files or len(args.files) % 3:
        parser.error("files come in threes: PROGRAM.h5 INPUT.npz OUTPUT.npz")
    load_lava()
    warnings.filterwarnings("ignore", module="scipy.sparse")  # Lava's DelaySparse changes matrices the slow way
    for start in range(0, len(args.files), 3):
        program, inputs, output = args.files[start : start + 3]
        run_job(program, inputs, output, args.mode, args.samples)


if __name__ == "__main__":
    main()
