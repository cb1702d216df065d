"""A recipe: everything that decides a training run, as a TOML file.

`base = "alif-mnist"` at its top takes all that the file does not say from a shipped recipe.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Any

import tomli_w

from spikeport.errors import FileMissing, FileUnreadable, RecipeInvalid
from spikeport.train.settings import Loss, Paper, Train

SHIPPED = files("spikeport.train") / "recipes"
REQUIRED = ("data", "model", "train")
OPTIONAL = ("loss", "paper")
MAX_BASES = 8


@dataclass(frozen=True)
class Recipe:
    """One training run. Options of data and model go to their functions as they are."""

    name: str
    text: str
    data: str
    data_options: Mapping[str, Any]
    augment: tuple[Any, ...]
    model: str
    model_options: Mapping[str, Any]
    train: Train
    loss: Loss = Loss()
    paper: Paper | None = None

    def __post_init__(self) -> None:
        train, where = self.train, f"recipe {self.name}"
        if train.keep == "best" and train.select_on == "none":
            do = 'say select_on = "validation", or "test" as papers do'
            raise RecipeInvalid(where, 'train.keep = "best"', relation="needs", limit="train.select_on", do=do)
        if train.schedule != "constant" and train.warmup_epochs >= train.epochs:
            raise RecipeInvalid(
                where,
                "train.warmup_epochs",
                got=train.warmup_epochs,
                relation="is not below train.epochs",
                limit=train.epochs,
            )

    def settings(self) -> dict[str, Any]:
        """Everything that decides the run, defaults included; two equal ones are the same run."""
        parts = {"train": asdict(self.train), "loss": asdict(self.loss)}
        data = {"name": self.data, "augment": list(self.augment), **self.data_options}
        return {"data": data, "model": {"name": self.model, **self.model_options}, **parts}


def shipped_recipes() -> list[str]:
    """Names of the recipes inside the package."""
    return sorted(entry.name.removesuffix(".toml") for entry in SHIPPED.iterdir() if entry.name.endswith(".toml"))


def load_recipe(name: str, overrides: Sequence[str] = ()) -> Recipe:
    """A shipped recipe by name, or a TOML file by path.

    Args:
        name: Such as `fashion-small`, or the path of a file.
        overrides: `section.key=value` with a TOML value, or plain text; the recipe's text then holds them.

    Raises:
        FileError: there is no such recipe. InputError: it is not one; names the section and key.
    """
    if name in shipped_recipes():
        return parse_recipe(name, (SHIPPED / f"{name}.toml").read_text(), overrides)
    path = Path(name)
    if not path.is_file():
        near = get_close_matches(name, shipped_recipes(), 1)
        do = f"did you mean {near[0]}?" if near else "name a TOML file, or one that spikeport recipes lists"
        raise FileMissing(name, "no such recipe", do=do)
    try:
        return parse_recipe(path.stem, path.read_text(), overrides)
    except (UnicodeDecodeError, OSError) as error:
        raise FileUnreadable(name, "is not a readable text file", got=error) from error


def parse_recipe(name: str, text: str, overrides: Sequence[str] = ()) -> Recipe:
    """Raises InputError if a key is missing, unknown or of the wrong type."""
    where = f"recipe {name}"
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RecipeInvalid(where, "is not TOML", got=error) from error
    if "base" in table:
        table = _based(where, table)
        text = tomli_w.dumps(table)
    _sections(where, table)
    if overrides:
        _override(where, table, overrides)
        text = tomli_w.dumps(table)
    data, model = ({k: _frozen(v) for k, v in table[section].items()} for section in ("data", "model"))
    for section, options in (("data", data), ("model", model)):
        if "name" not in options:
            raise RecipeInvalid(where, f"section [{section}] lacks", got="name")
        if type(options["name"]) is not str:
            raise RecipeInvalid(where, f"{section}.name", got=options["name"], relation="is not", limit="text")
    augment = data.pop("augment", ())
    if not isinstance(augment, tuple):
        raise RecipeInvalid(where, "data.augment", got=augment, relation="is not", limit="a list")
    train, loss, paper = ({k: _frozen(v) for k, v in table.get(s, {}).items()} for s in ("train", "loss", "paper"))
    return Recipe(
        name,
        text,
        data.pop("name"),
        data,
        augment,
        model.pop("name"),
        model,
        Train.read(where, "train", train),
        Loss.read(where, "loss", loss),
        Paper.read(where, "paper", paper) if "paper" in table else None,
    )


def _based(where: str, table: dict[str, Any], depth: int = 0) -> dict[str, Any]:
    """The table over the shipped recipe that it names; [paper] is its own, all other sections key by key."""
    base = table["base"]
    if type(base) is not str or base not in shipped_recipes():
        raise RecipeInvalid(where, "base", got=base, relation="is not one of", limit="those of spikeport recipes")
    if depth > MAX_BASES:
        raise RecipeInvalid(where, "base", got=base, relation="leads back to itself")
    below = tomllib.loads((SHIPPED / f"{base}.toml").read_text())
    below = _based(where, below, depth + 1) if "base" in below else below
    merged = {name: section for name, section in below.items() if name != "paper"}
    for name, section in table.items():
        if name != "base":
            under = merged.get(name, {})
            merged[name] = {**under, **section} if isinstance(section, dict) else section
    return merged


def _sections(where: str, table: dict[str, Any]) -> None:
    unknown = sorted(table.keys() - {*REQUIRED, *OPTIONAL})
    if unknown:
        raise RecipeInvalid(where, "unknown sections", got=", ".join(unknown))
    for section in REQUIRED:
        if section not in table:
            raise RecipeInvalid(where, "lacks", got=f"[{section}]", relation="of", limit="[data], [model], [train]")
    for section, found in table.items():
        if not isinstance(found, dict):
            raise RecipeInvalid(where, section, got=found, relation="is not", limit=f"a section, [{section}]")


def _override(where: str, table: dict[str, Any], overrides: Sequence[str]) -> None:
    for entry in overrides:
        path, equals, value = entry.partition("=")
        section, dot, key = path.strip().partition(".")
        if not (equals and dot and key) or section not in (*REQUIRED, *OPTIONAL):
            do = "write it as --set train.epochs=3"
            raise RecipeInvalid(where, "setting", got=entry, relation="is not", limit="SECTION.KEY=VALUE", do=do)
        table.setdefault(section, {})[key] = _value(value.strip())


def _value(text: str) -> Any:
    """A TOML value; what is none is text, so that names need no quotes."""
    try:
        return tomllib.loads(f"x = {text}")["x"]
    except tomllib.TOMLDecodeError:
        return text


def _frozen(value: Any) -> Any:
    return tuple(_frozen(v) for v in value) if isinstance(value, list) else value
