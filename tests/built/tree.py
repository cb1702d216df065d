"""The source tree without what was built, cached or left lying in it."""

import shutil
from pathlib import Path

KEPT = ("spikeport", "tests", "docs", "benchmarks", "examples")
FILES = ("*.md", "*.toml", "*.txt", "*.in", "*.cff", "Makefile", "LICENSE")
LEFT = shutil.ignore_patterns("__pycache__", "_build", "*.py[cod]", ".ipynb_checkpoints", ".jupyter_cache")


def copy_tree(root: Path, to: Path) -> None:
    to.mkdir()
    for name in KEPT:
        if (root / name).is_dir():
            shutil.copytree(root / name, to / name, ignore=LEFT)
    for pattern in FILES:
        for path in root.glob(pattern):
            shutil.copy(path, to)
