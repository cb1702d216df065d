"""A recipe: everything that decides a training run, as a TOML file."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from spikeport.errors import FileError, InputError

SHIPPED = files("spikeport.train") / "recipes"


@dataclass(frozen=True)
class Recipe:
    """One training run. `model_options` go to the model's function as they are."""

    name: str
    text: str
    data: str
    model: str
    model_options: Mapping[str, Any]
    epochs: int
    batch: int
    learning_rate: float
    seed: int

    def __post_init__(self) -> None:
        for name in ("epochs", "batch"):
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                raise InputError(f"recipe {self.name}", name, got=value, relation="is not", limit="a positive integer")
        if type(self.seed) is not int or not 0 <= self.seed < 2**63:
            limit = "an integer in [0, 2^63)"
            raise InputError(f"recipe {self.name}", "seed", got=self.seed, relation="is not", limit=limit)
        for name in ("data", "model"):
            if type(getattr(self, name)) is not str:
                raise InputError(
                    f"recipe {self.name}", f"{name} name", got=getattr(self, name), relation="is not", limit="text"
                )
        if type(self.learning_rate) not in (int, float) or not 0 < self.learning_rate < 1e3:
            raise InputError(
                f"recipe {self.name}", "learning_rate", got=self.learning_rate, relation="is not in", limit="(0, 1000)"
            )


def shipped_recipes() -> list[str]:
    """Names of the recipes inside the package."""
    return sorted(entry.name.removesuffix(".toml") for entry in SHIPPED.iterdir() if entry.name.endswith(".toml"))


def load_recipe(name: str) -> Recipe:
    """A shipped recipe by name, or a TOML file by path."""
    if name in shipped_recipes():
        return parse_recipe(name, (SHIPPED / f"{name}.toml").read_text())
    path = Path(name)
    if not path.is_file():
        known = ", ".join(shipped_recipes())
        raise FileError(name, "no such recipe", do=f"name a TOML file or one of: {known}")
    try:
        return parse_recipe(path.stem, path.read_text())
    except (UnicodeDecodeError, OSError) as error:
        raise FileError(name, "is not a readable text file", got=error) from error


def parse_recipe(name: str, text: str) -> Recipe:
    """Raises InputError if a key is missing, unknown or of the wrong type."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"recipe {name}", "is not TOML", got=error) from error
    wanted = {"data": {"name"}, "model": {"name"}, "train": {"epochs", "batch", "learning_rate", "seed"}}
    for section, keys in wanted.items():
        found = table.get(section)
        if not isinstance(found, dict) or not keys <= found.keys():
            missing = sorted(keys - (found.keys() if isinstance(found, dict) else set()))
            raise InputError(f"recipe {name}", f"section [{section}] lacks", got=", ".join(missing))
    unknown = sorted(
        (table.keys() - wanted.keys()) | (table["train"].keys() - wanted["train"]) | (table["data"].keys() - {"name"})
    )
    if unknown:
        raise InputError(f"recipe {name}", "unknown keys", got=", ".join(unknown))
    options = {k: tuple(v) if isinstance(v, list) else v for k, v in table["model"].items() if k != "name"}
    return Recipe(name, text, table["data"]["name"], table["model"]["name"], options, **table["train"])
