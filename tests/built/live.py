"""Builds dist/ and tries it: python -m tests.built.live [--out FOLDER]

    wheel, sdist   built from a copy of the tree without what lies about in it
    sdist          gives the same wheel, file by file
    wheel          installed with the pinned versions into an environment of its own, and used far from the checkout:
                   doctor, --help, and a NIR file that is compiled and run

It needs a package registry, and takes a few minutes.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from tests.built.tree import copy_tree

ROOT = Path(__file__).parents[2]
NET = """
import nir, numpy as np
one = np.ones(2)
nodes = {"in": nir.Input({"input": np.array([2])}), "w": nir.Linear(np.eye(2)),
         "lif": nir.IF(one, 1.5 * one, 0 * one), "out": nir.Output({"output": np.array([2])})}
nir.write("net.nir", nir.NIRGraph(nodes, [("in", "w"), ("w", "lif"), ("lif", "out")]))
np.savez("x.npz", spikes=np.ones((8, 1, 2), np.int64) * np.array([1, 0]))
"""
READ = """
import sys, numpy as np, spikeport
assert spikeport.__file__.startswith(sys.prefix), spikeport.__file__
first, second = np.load("y.npz")["spikes"].sum((0, 1))
assert first > 0 and second == 0, (first, second)
assert not {"torch", "setuptools"} & set(sys.modules)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description="Builds the wheel and the sdist, and tries both.")
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="where they go; dist/")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="spikeport-built-") as name:
        folder = Path(name)
        wheel, sdist = build(folder, args.out)
        again = wheel_of(sdist, folder)
        if differing := differences(wheel, again):
            raise SystemExit(f"{sdist.name} gives another wheel: {', '.join(differing)}")
        print(f"{sdist.name} gives {wheel.name}, file by file")
        use(wheel, folder)
        print(f"{wheel.name} installs, compiles and runs")


def build(folder: Path, out: Path) -> tuple[Path, Path]:
    """The wheel and the sdist of a copy of the tree."""
    copy_tree(ROOT, folder / "tree")
    said(sys.executable, "-m", "build", "--wheel", "--sdist", "--outdir", out, folder / "tree")
    (wheel,), (sdist,) = newest(out, "*.whl"), newest(out, "*.tar.gz")
    return wheel, sdist


def newest(out: Path, pattern: str) -> list[Path]:
    return sorted(out.glob(pattern), key=lambda path: path.stat().st_mtime)[-1:]


def wheel_of(sdist: Path, folder: Path) -> Path:
    """What pip makes of the sdist alone."""
    said(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder / "again", sdist)
    (wheel,) = (folder / "again").iterdir()
    return wheel


def differences(one: Path, other: Path) -> list[str]:
    """The files that only one wheel has, or that are not the same in both."""
    contents = []
    for path in (one, other):
        with zipfile.ZipFile(path) as wheel:
            contents.append({name: wheel.read(name) for name in wheel.namelist()})
    return sorted(
        name for name in contents[0].keys() | contents[1].keys() if contents[0].get(name) != contents[1].get(name)
    )


def use(wheel: Path, folder: Path) -> None:
    """Installs the wheel without extras, and goes from a NIR file to spikes, outside the checkout."""
    said(sys.executable, "-m", "venv", folder / "env")
    python, command, away = folder / "env/bin/python", folder / "env/bin/spikeport", folder / "away"
    away.mkdir()
    said(python, "-m", "pip", "install", "-q", "-c", ROOT / "constraints.txt", wheel)
    said(python, "-c", NET, cwd=away)
    said(command, "--help", cwd=away)
    said(command, "doctor", cwd=away)
    said(command, "compile", "net.nir", "-o", "net.h5", cwd=away)
    said(command, "run", "net.h5", "--input", "x.npz", "-o", "y.npz", cwd=away)
    said(python, "-c", READ, cwd=away)


def said(*words: object, cwd: Path | None = None) -> str:
    """What a command prints. Nothing of this checkout is on its path.

    Raises:
        SystemExit: it fails; with all that it said.
    """
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    told: Sequence[str] = [str(word) for word in words]
    done = subprocess.run(told, cwd=cwd, env=env, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(told)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main()
