"""The sections of a recipe: what may stand in each, and in which range.

Every field carries its `Rule`; a value that breaks it is an InputError that names the recipe, section and key.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Self

from spikeport.errors import RecipeInvalid

OPTIMIZERS = ("adam", "adamw", "sgd")
SCHEDULES = ("cosine", "step", "multistep", "linear", "constant")
PRECISIONS = ("64", "32", "bf16", "16")


@dataclass(frozen=True)
class Rule:
    """What a value must be; `limit` says it in words, as the end of "... is not"."""

    accepts: Callable[[Any], bool]
    limit: str


def whole(low: int, high: int) -> Rule:
    return Rule(lambda x: type(x) is int and low <= x <= high, f"an integer in [{low}, {high}]")


def number(low: float, high: float, *, above: bool = False) -> Rule:
    """In [low, high), or in (low, high)."""
    bracket = "(" if above else "["
    return Rule(
        lambda x: type(x) in (int, float) and low <= x < high and not (above and x == low),
        f"a number in {bracket}{low:g}, {high:g})",
    )


def one_of(*names: str) -> Rule:
    return Rule(lambda x: type(x) is str and x in names, f"one of {', '.join(names)}")


def _is_quantize(x: Any) -> bool:
    return type(x) is bool or (type(x) is str and x.startswith("after:") and x[6:].isdecimal() and len(x) < 16)


FLAG = Rule(lambda x: type(x) is bool, "true or false")
EPOCHS = Rule(lambda x: type(x) is tuple and all(type(k) is int and k > 0 for k in x), "a list of epochs")
QUANTIZE = Rule(_is_quantize, 'true, false or "after:N"')
FIGURE = Rule(lambda x: x is None or (type(x) in (int, float) and 0 <= x <= 100), "per cent in [0, 100]")
POSITIVE = Rule(lambda x: x is None or (type(x) in (int, float) and 0 <= x < 1e9), "a number in [0, 1e9)")
TEXT = Rule(lambda x: type(x) is str, "text")


def of(rule: Rule, default: Any = MISSING) -> Any:
    """A field that is checked when it is made; required without a default."""
    return field(default=default, metadata={"rule": rule})


@dataclass(frozen=True)
class Section:
    """The base: checks each field, and refuses keys that are missing or unknown."""

    @classmethod
    def read(cls, where: str, name: str, table: Mapping[str, Any]) -> Self:
        """Raises InputError for a key that is missing, unknown, or out of range."""
        known = {f.name: f for f in fields(cls)}
        missing = [key for key, f in known.items() if f.default is MISSING and key not in table]
        if missing:
            raise RecipeInvalid(where, f"section [{name}] lacks", got=", ".join(missing))
        unknown = sorted(table.keys() - known.keys())
        if unknown:
            raise RecipeInvalid(where, f"section [{name}] has unknown keys", got=", ".join(unknown))
        for key, value in table.items():
            rule: Rule = known[key].metadata["rule"]
            if not rule.accepts(value):
                raise RecipeInvalid(where, f"{name}.{key}", got=value, relation="is not", limit=rule.limit)
        return cls(**table)


@dataclass(frozen=True)
class Train(Section):
    """[train]: how the weights are found. An epoch is one pass over the training split."""

    epochs: int = of(whole(1, 10**6))
    batch: int = of(whole(1, 2**31))
    """Samples per step, of all processes together."""
    learning_rate: float = of(number(0, 1e3, above=True))
    seed: int = of(whole(0, 2**63 - 1))
    optimizer: str = of(one_of(*OPTIMIZERS), "adam")
    momentum: float = of(number(0, 1), 0.9)
    """Of sgd; Adam's first moment decays with its usual 0.9."""
    weight_decay: float = of(number(0, 1e3), 0.0)
    """On weights of two or more axes; never on neurons, biases and batch norm."""
    schedule: str = of(one_of(*SCHEDULES), "cosine")
    warmup_epochs: int = of(whole(0, 10**6), 0)
    """The rate rises in equal steps to learning_rate; then the schedule begins."""
    t_max: int = of(whole(0, 10**6), 0)
    """Epochs of half a cosine; 0: all. A shorter one rises again, as torch's CosineAnnealingLR does."""
    minimum_rate: float = of(number(0, 1e3), 0.0)
    """Where cosine and linear end."""
    step_epochs: int = of(whole(1, 10**6), 30)
    milestones: tuple[int, ...] = of(EPOCHS, ())
    gamma: float = of(number(0, 1, above=True), 0.1)
    """Factor of step and multistep."""
    bottleneck_factor: float = of(number(0, 1e6, above=True), 1.0)
    """How many times faster ESVAE's bottleneck learns."""
    loss: str = of(one_of("mse", "cross_entropy"), "mse")
    """mse: rates against one-hot targets (ALIF); cross_entropy: of logits (DA-LIF). An autoencoder has its own."""
    label_smoothing: float = of(number(0, 1), 0.0)
    precision: str = of(one_of(*PRECISIONS), "32")
    quantize: bool | str = of(QUANTIZE, True)
    """Whether weights are rounded in training, or from which epoch on: "after:10" trains 10 epochs in float."""
    keep: str = of(one_of("last", "best"), "last")
    select_on: str = of(one_of("none", "validation", "test"), "none")
    """The split that is evaluated after each epoch; `keep = "best"` picks by it. Validation is an option of [data]."""
    grad_clip: float = of(number(0, 1e9), 0.0)
    """Largest norm of the gradient; 0: any."""
    drop_last: bool = of(FLAG, False)
    check: str = of(one_of("none", "loihi1", "loihi2"), "none")
    """The chip whose design rules the network is held against after each epoch."""

    def quantized(self, epoch: int) -> bool:
        """Whether weights are rounded in this epoch, from 1."""
        return self.quantize if isinstance(self.quantize, bool) else epoch > int(self.quantize[6:])


@dataclass(frozen=True)
class Loss(Section):
    """[loss]: terms besides the error; a weight of 0 leaves one out."""

    sops: float = of(number(0, 1e9), 0.0)
    """Weight of max(0, SOPs / sops_target - 1), the mean over samples."""
    sops_target: float = of(number(0, 1e15, above=True), 1e6)
    """Synaptic operations per sample."""
    limits: float = of(number(0, 1e9), 0.0)
    """Weight of what leaves the chip's words: see `spikeport.train.loop.limits`."""


@dataclass(frozen=True)
class Paper(Section):
    """[paper]: what was published, shown beside what came out."""

    title: str = of(TEXT)
    table: str = of(TEXT, "")
    row: str = of(TEXT, "")
    accuracy: float | None = of(FIGURE, None)
    """In per cent, as papers give it."""
    mse: float | None = of(POSITIVE, None)
    """Reconstruction loss: mean squared error of pixels in [-1, 1]."""
    inception_score: float | None = of(POSITIVE, None)
    fid: float | None = of(POSITIVE, None)
    fad: float | None = of(POSITIVE, None)
    shuffled_mse: float | None = of(POSITIVE, None)
    """Of reconstructions from latent spikes shuffled in time, against the images."""
    shuffled_vanilla_mse: float | None = of(POSITIVE, None)
    """The same against the reconstructions from spikes in order."""
    classified: float | None = of(FIGURE, None)
    """Accuracy of a classifier on the encoder's firing rates, in per cent."""

    @property
    def source(self) -> str:
        """Title, table and row, as a page names them."""
        return ", ".join(part for part in (self.title, self.table, self.row) if part)

    def figures(self) -> dict[str, float]:
        """What was published, by its usual name."""
        names = {"accuracy": "accuracy", "mse": "MSE", "inception_score": "IS", "fid": "FID", "fad": "FAD"}
        return self._said(names)

    def latent_figures(self) -> dict[str, float]:
        """What was published of a latent space alone, by the names of its fields."""
        return self._said({name: name for name in ("shuffled_mse", "shuffled_vanilla_mse", "classified")})

    def _said(self, names: Mapping[str, str]) -> dict[str, float]:
        found = {shown: getattr(self, name) for name, shown in names.items()}
        return {shown: value for shown, value in found.items() if value is not None}
