"""Where `spikeport score` takes its samples from: an npz file, a folder of npy files, or a recipe's test split.

Of the last two nothing but the samples asked for is read, so that a data set need not fit in memory.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from spikeport.commands.bars import say
from spikeport.commands.samples import inputs_of, read_npz
from spikeport.errors import ArraysDiffer, FileUnreadable, LabelsInvalid, OptionMisused, WrongShape, WrongType
from spikeport.program import Program
from spikeport.sim.scoring import Part

if TYPE_CHECKING:
    from spikeport.train.data import DataSet

LARGE_BYTES = 2**30
"""Of an npz file's arrays, which each process holds."""


class Source(Protocol):
    """A data set."""

    @property
    def steps(self) -> int: ...

    @property
    def labels(self) -> NDArray[np.integer] | None:
        """`(samples,)`"""
        ...

    def __len__(self) -> int: ...

    def part(self, samples: range) -> Part:
        """Those samples; raises FileError or InputError if they cannot be read."""
        ...


def source_of(data: str, program: Program, steps: int | None, folder: Path | None) -> Source:
    """The source that a name means.

    Args:
        data: `X.npz`; a folder with `spikes.npy`, or one file for each input, and `labels.npy`; a run's folder; or a
            recipe.
        steps: For which an image is shown.
        folder: Where a recipe's data set lies.

    Raises:
        FileError, InputError: it is none of these, or does not fit the Program.
    """
    path = Path(data)
    if path.suffix == ".npz":
        arrays = read_npz(path)
        if sum(x.nbytes for x in arrays.values()) > LARGE_BYTES:
            say(f"note: each process holds all of {path}; of a folder of .npy files it reads what it needs")
        return _arrays(path, arrays, program, steps)
    if path.is_dir() and not (path / "recipe.toml").is_file():
        return _arrays(path, _mapped(path), program, steps)
    return _recipe(data, program, steps, folder)


@dataclass(frozen=True, eq=False)
class ArraySource:
    """Arrays `(T, B, *shape)`, in memory or mapped from files; images `(B, *shape)` are shown for all steps."""

    inputs: Mapping[str, NDArray[Any]]
    labels: NDArray[np.integer] | None

    @property
    def steps(self) -> int:
        return len(next(iter(self.inputs.values())))

    def __len__(self) -> int:
        return next(iter(self.inputs.values())).shape[1]

    def part(self, samples: range) -> Part:
        chosen = slice(samples.start, samples.stop)
        labels = None if self.labels is None else self.labels[chosen]
        return Part({name: x[:, chosen] for name, x in self.inputs.items()}, labels)


@dataclass(frozen=True, eq=False)
class RecipeSource:
    """A recipe's data set, its test images, each shown for `steps` steps; or frames, each for one."""

    data: "DataSet"
    name: str
    steps: int

    @property
    def labels(self) -> NDArray[np.integer]:
        return self.data.test.labels

    def __len__(self) -> int:
        return len(self.data.test)

    def part(self, samples: range) -> Part:
        from spikeport.train.data import centred

        chosen = slice(samples.start, samples.stop)
        x = centred(self.data, self.data.test.images[chosen])
        shown = x.swapaxes(0, 1) if x.ndim == 5 else np.broadcast_to(x, (self.steps, *x.shape))
        return Part({self.name: shown}, self.labels[chosen])


def _mapped(folder: Path) -> dict[str, NDArray[Any]]:
    """All npy files of a folder, by their stem; nothing is ever unpickled."""
    found: dict[str, NDArray[Any]] = {}
    for path in sorted(folder.glob("*.npy")):
        try:
            found[path.stem] = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            do, got = "write it with numpy.save, integers only", (str(error) or type(error).__name__).splitlines()[0]
            raise FileUnreadable(str(path), "is not a readable npy file", got=got[:100], do=do) from error
    return found


def _arrays(path: Path, arrays: Mapping[str, NDArray[Any]], program: Program, steps: int | None) -> ArraySource:
    inputs = {}
    for name, x in inputs_of(path, arrays, program).items():
        shape, where = tuple(program.shape_of(name)), f"{path}, {name}"
        if x.dtype.kind not in "iub":
            raise WrongType(where, "type", got=x.dtype, relation="is not", limit="an integer array")
        if x.ndim not in (len(shape) + 1, len(shape) + 2) or x.shape[-len(shape) :] != shape or 0 in x.shape:
            limit = ", ".join(map(str, shape))
            raise WrongShape(where, "shape", got=x.shape, relation="is not", limit=f"(T, B, {limit}) or (B, {limit})")
        inputs[name] = np.broadcast_to(x, (_steps(program, steps), *x.shape)) if x.ndim == len(shape) + 1 else x
    if len({x.shape[:2] for x in inputs.values()}) != 1:
        got = {name: x.shape[:2] for name, x in inputs.items()}
        raise ArraysDiffer(str(path), "steps and samples", got=got, relation="differ between inputs")
    held, samples = next(iter(inputs.values())).shape[:2]
    if steps is not None and steps != held:
        raise ArraysDiffer(str(path), "steps", got=held, relation="are not", limit=steps, do="leave --steps out")
    return ArraySource(inputs, _labels(path, arrays.get("labels"), samples))


def _labels(path: Path, labels: NDArray[Any] | None, samples: int) -> NDArray[np.integer] | None:
    if labels is None:
        return None
    if labels.dtype.kind not in "iu" or labels.shape != (samples,):
        got, limit = f"{labels.dtype}, shape {labels.shape}", f"one integer for each of {samples:,} samples"
        raise LabelsInvalid(str(path), "labels", got=got, relation="are not", limit=limit)
    return np.asarray(labels)


def _recipe(name: str, program: Program, steps: int | None, folder: Path | None) -> RecipeSource:
    from spikeport.train import data_of, load_recipe

    recipe = load_recipe(str(Path(name) / "recipe.toml") if Path(name).is_dir() else name)
    if (inputs := len(program.inputs)) != 1:
        raise OptionMisused(
            name, "inputs of the Program", got=inputs, relation="are not", limit=1, do="write an npz file"
        )
    data, entry = data_of(recipe, folder), program.inputs[0]
    if data.shape[-len(entry.shape) :] != entry.shape:
        got, limit = data.shape, f"the Program's input, {entry.shape}"
        raise WrongShape(f"data {data.name}", "shape of a picture", got=got, relation="is not", limit=limit)
    frames = data.shape[0] if len(data.shape) == 4 else None
    if frames and steps not in (None, frames):
        do = "leave --steps out"
        raise ArraysDiffer(f"data {data.name}", "steps", got=frames, relation="are not", limit=steps, do=do)
    told = frames or (recipe.model_options.get("steps") if steps is None else steps)
    return RecipeSource(data, entry.name, _steps(program, told))


def _steps(program: Program, told: int | None) -> int:
    """What was told, else the steps of a sample that the Program was compiled for."""
    intervals = {group.reset_interval for group in program.groups} - {0}
    found = told if told is not None else min(intervals, default=None)
    if found is None or found < 1:
        what = "the steps of an image are not known" if found is None else f"steps ({found}) are not above 0"
        raise OptionMisused("score", what, do="say --steps T")
    return found
