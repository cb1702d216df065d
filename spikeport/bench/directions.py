"""Whether what the papers find holds at a small scale: a question is a recipe, variants of it, and claims about them.

Accuracy is that of the last epoch on the test split, of the float form, as the papers have it.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from statistics import fmean, stdev
from typing import Any

from spikeport.errors import InputError, UnknownName
from spikeport.progress import counted
from spikeport.train import data_of, fit, load_recipe, model_of, set_quantize
from spikeport.train.loop.evaluate import accuracy
from spikeport.train.loop.history import neurons

INITS = ((0.25, 0.2), (0.5, 0.2), (0.5, 0.5))


@dataclass(frozen=True)
class Question:
    """A recipe, its variants as settings over it, and claims: the first of two variants is the better."""

    source: str
    recipe: str
    variants: Mapping[str, tuple[str, ...]]
    claims: tuple[tuple[str, str], ...]


def _alif(recipe: str) -> Question:
    variants = {
        f"{name} ({tau}, {vth})": (f"model.learn={learn}", f"model.tau={tau}", f"model.threshold={vth}")
        for tau, vth in INITS
        for name, learn in (("learnable", "both"), ("fixed", "none"))
    }
    claims = tuple((f"learnable ({tau}, {vth})", f"fixed ({tau}, {vth})") for tau, vth in INITS)
    return Question("ALIF, Table 7: (tau, Vth)", recipe, variants, claims)


QUESTIONS = {
    "alif-digits": _alif("digits-alif"),
    "alif-fashion": _alif("fashion-alif"),
    "dalif-fashion": Question(
        "DA-LIF, ablation; what is fixed: alpha 1, beta 0.25",
        "fashion-dalif",
        {
            "alpha and beta": ("model.learn=both",),
            "alpha only": ("model.learn=alpha", "model.beta=0.25"),
            "beta only": ("model.learn=beta", "model.alpha=1.0"),
            "LIF": ("model.learn=none", "model.alpha=1.0", "model.beta=0.25"),
            "alpha and beta, sigmoid": ("model.learn=both", "model.squash=sigmoid"),
        },
        (
            ("alpha and beta", "LIF"),
            ("alpha and beta", "alpha only"),
            ("alpha and beta", "beta only"),
            ("alpha only", "LIF"),
            ("beta only", "LIF"),
            ("alpha and beta", "alpha and beta, sigmoid"),
        ),
    ),
}


def directions(
    names: Sequence[str], seeds: int, settings: Sequence[str], tell: Callable[[str], None], jobs: int = 1
) -> dict[str, Any]:
    """Trains each variant with each seed; plain tables of what came out.

    Args:
        seeds: How many, from 0.
        settings: Over every recipe, such as train.epochs=1.
        jobs: Runs at once, each in a process of its own; they change no result.

    Raises:
        InputError: a question that is not there, or no seed.
    """
    if unknown := sorted(set(names) - QUESTIONS.keys()):
        raise UnknownName(
            "directions", "question", got=unknown[0], relation="is not one of", limit=", ".join(QUESTIONS)
        )
    for what, value in (("seeds", seeds), ("jobs", jobs)):
        if value < 1:
            raise InputError("directions", what, got=value, relation="are not above", limit=0)
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        return {name: _answer(QUESTIONS[name], seeds, settings, tell, pool) for name in names}


def _answer(
    question: Question, seeds: int, settings: Sequence[str], tell: Callable[[str], None], pool: Executor
) -> dict[str, Any]:
    started = {
        name: [pool.submit(_run, question.recipe, (*own, *settings, f"train.seed={seed}")) for seed in range(seeds)]
        for name, own in question.variants.items()
    }
    variants = {}
    for name, own in counted(question.variants.items(), question.recipe, "variants"):
        runs = [run.result() for run in started[name]]
        found = [run["accuracy"] for run in runs]
        tell(f"{question.recipe}, {name}: {', '.join(f'{x:.2%}' for x in found)}")
        spread = stdev(found) if seeds > 1 else 0.0
        variants[name] = {"settings": own, "mean": fmean(found), "deviation": spread, "runs": runs}
    return {
        "source": question.source,
        "recipe": question.recipe,
        "variants": variants,
        "claims": [_claim(better, worse, variants) for better, worse in question.claims],
    }


def _claim(better: str, worse: str, variants: Mapping[str, Any]) -> dict[str, Any]:
    """The difference of the means, and in how many seeds it has the claim's sign."""
    pairs = list(zip(variants[better]["runs"], variants[worse]["runs"], strict=True))
    ahead = [a["accuracy"] - b["accuracy"] for a, b in pairs]
    return {
        "better": better,
        "worse": worse,
        "difference": fmean(ahead),
        "seeds": sum(x > 0 for x in ahead),
        "of": len(ahead),
    }


def _run(recipe_name: str, settings: Sequence[str]) -> dict[str, Any]:
    recipe = load_recipe(recipe_name, settings)
    data = data_of(recipe)
    model = model_of(recipe, data)
    began = time.process_time()
    fit(model, data, recipe)
    cpu_s = time.process_time() - began
    set_quantize(model, False)
    layers = {layer: [round(x, 4) for x in figures] for layer, figures in neurons(model).items()}
    return {"seed": recipe.train.seed, "accuracy": accuracy(model, data), "cpu_s": cpu_s, "gain_keep_threshold": layers}
