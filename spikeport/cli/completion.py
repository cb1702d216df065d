"""What a shell offers for an argument: names that are shipped, and words that a command knows.

Nothing that takes time is imported, so the words that stand elsewhere stand here again; a test holds them equal.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
FOLDERS = {
    "recipes": PACKAGE / "train" / "recipes",
    "profiles": PACKAGE / "sim" / "energy" / "profiles",
    "networks": PACKAGE / "sim" / "energy" / "networks",
}
CONVENTIONS = (
    "nir",
    "norse",
    "snntorch",
    "snntorch-subtract",
    "spikingjelly",
    "sinabs",
    "sinabs-no-floor",
    "rockpool",
    "spyx",
    "lava-dl",
)
BACKENDS = ("sim", "lava", "loihi")
CHIPS = ("loihi1", "loihi2")
COUNTING = ("exact", "paper-spikformer", "paper-esvae", "paper-syops")
MEASURES = ("reconstruction", "fad", "inception", "robustness", "noise", "rates", "classification", "energy")
CONFORMANCE = ("published", "lava", "runtime", "engines")
SIM_CASES = ("mlp", "mnist", "pilotnet")
SIM_PARTS = ("compare", "activity", "roofline", "cost", "startup", "scale")
SIM_PEERS = ("lava", "nengo_loihi", "brian2_loihi", "xylosim", "thrindex", "torch", "none")
TRAIN_PARTS = ("alif_fashion", "dalif_resnet20", "small")
QUESTIONS = ("alif-digits", "alif-fashion", "dalif-fashion")
LAVA_DL = ("lava-dl/ntidigits", "lava-dl/pilotnet_lif", "lava-dl/pilotnet_sdnn", "lava-dl/mnist", "lava-dl/tiny")

Complete = Callable[[str], list[str]]


def one_of(words: Iterable[str]) -> Complete:
    """Those that begin with what is typed so far."""

    def complete(incomplete: str) -> list[str]:
        return [word for word in words if word.startswith(incomplete)]

    return complete


def recipes(incomplete: str) -> list[str]:
    return _shipped("recipes", incomplete)


def profiles(incomplete: str) -> list[str]:
    """What operations cost."""
    return _shipped("profiles", incomplete)


def networks(incomplete: str) -> list[str]:
    """Described by their shapes."""
    return _shipped("networks", incomplete)


def mapped(incomplete: str) -> list[str]:
    """Networks of 'bench mapping'."""
    return recipes(incomplete) + one_of(LAVA_DL)(incomplete)


def codes(incomplete: str) -> list[tuple[str, str]]:
    """Errors with their titles, or design rules."""
    from spikeport.errors.catalogue import CATALOGUE

    found = [(code, entry.title) for code, entry in CATALOGUE.items() if code.startswith(incomplete)]
    if incomplete and found:
        return found
    from spikeport.deploy.rules import RULES

    return found + [(rule.id, "design rule") for rule in RULES if rule.id.startswith(incomplete)]


def _shipped(kind: str, incomplete: str) -> list[str]:
    return [name for name in sorted(path.stem for path in FOLDERS[kind].glob("*.toml")) if name.startswith(incomplete)]
