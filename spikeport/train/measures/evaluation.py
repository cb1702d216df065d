"""All that was measured of one model, and its rows for people beside what was published."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from spikeport.train.measures.classification import Classification
from spikeport.train.measures.fad import Fad
from spikeport.train.measures.inception import InceptionMeasures
from spikeport.train.measures.noise import NoiseCurve
from spikeport.train.measures.operations import Operations
from spikeport.train.measures.rates import Rates
from spikeport.train.measures.reconstruction import ReconstructionError
from spikeport.train.measures.robustness import Robustness
from spikeport.train.settings import Paper

PARTS = ("reconstruction", "fad", "inception", "robustness", "noise", "rates", "classification", "energy")
LATENT = ("robustness", "noise", "rates", "classification")
"""Parts that only a spiking latent space has."""
Row = tuple[str, str, str, str]
"""Measure, ours, published, note."""
COLUMNS = ("measure", "ours", "published", "note")
OWN_NETWORK = "by a network of one's own: compare with other models by the same one, not with papers"


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What is None was not measured."""

    name: str
    model: str
    quantized: bool
    seed: int
    paper: Paper | None = None
    reconstruction: ReconstructionError | None = None
    fad: Fad | None = None
    fad_network: str = ""
    """The run or file that FAD's network comes from."""
    own_network: bool = False
    """Whether it comes from a run of one's own."""
    inception: InceptionMeasures | None = None
    robustness: Robustness | None = None
    noise: NoiseCurve | None = None
    rates: Rates | None = None
    classification: Classification | None = None
    energy: tuple[Operations, Operations] | None = None
    """Of reconstruction and generation."""
    skipped: tuple[str, ...] = ()
    """What was not measured, and why."""

    def to_json(self) -> dict[str, Any]:
        measured = {part: getattr(self, part) for part in PARTS if part != "energy"}
        paper = {} if self.paper is None else {"source": self.paper.source, **self._published()}
        return {
            "name": self.name,
            "model": self.model,
            "quantized": self.quantized,
            "seed": self.seed,
            "published": paper,
            **{part: found.to_json() for part, found in measured.items() if found is not None},
            **({} if self.fad is None else {"fad_network": self.fad_network, "fad_network_is_own": self.own_network}),
            **({} if self.energy is None else {"operations": [one.to_json() for one in self.energy]}),
            "not_measured": list(self.skipped),
        }

    def _published(self) -> dict[str, float]:
        return {} if self.paper is None else {**self.paper.figures(), **self.paper.latent_figures()}

    def rows(self) -> Iterator[Row]:
        """What a terminal and the page show."""
        said = {name: f"{value:g}" for name, value in self._published().items()}
        if self.reconstruction is not None:
            note = f"{self.reconstruction.images:,} test images, pixels in [-1, 1]"
            yield "Reconstruction error (MSE)", f"{self.reconstruction.mse:.4f}", said.get("MSE", ""), note
        if self.fad is not None:
            yield from self._fad_rows(self.fad, said.get("FAD", ""))
        if self.inception is not None:
            found = self.inception
            note = (
                f"± {found.inception_std:.3f} over {found.splits} splits of {found.samples:,}; papers' network differs"
            )
            yield "Inception Score", f"{found.inception_score:.3f}", said.get("IS", ""), note
            note = f"{found.samples:,} against {found.real_images:,} real images; papers resize otherwise"
            yield "FID", f"{found.fid:.2f}", said.get("FID", ""), note
        yield from self._latent_rows(said)

    def _fad_rows(self, found: Fad, published: str) -> Iterator[Row]:
        note = f"{found.samples:,} samples; network {self.fad_network}, whose own MSE is {found.network_mse:.4f}"
        published = "" if self.own_network else published
        yield "FAD, by batch statistics", f"{found.train:.2f}", published, note
        note = OWN_NETWORK if self.own_network else "another quantity than what papers print"
        yield "FAD, by running statistics", f"{found.eval:.2f}", "", note

    def _latent_rows(self, said: Mapping[str, str]) -> Iterator[Row]:
        if self.robustness is not None:
            ways = {"in time": self.robustness.time, "across neurons": self.robustness.length}
            for way, found in ways.items():
                names = ("shuffled_mse", "shuffled_vanilla_mse") if way == "in time" else ("", "")
                against, vanilla = (said.get(name, "") for name in names)
                yield f"Latent spikes shuffled {way}", f"{found.original:.4f}", against, "MSE against the images"
                yield "", f"{found.vanilla:.4f}", vanilla, "MSE against the reconstructions"
        if self.noise is not None:
            worst, errors = self.noise.probabilities[-1], self.noise.errors[-1]
            yield f"Latent spikes flipped with p = {worst:g}", f"{errors.original:.4f}", "", "MSE against the images"
            yield "", f"{errors.vanilla:.4f}", "", "MSE against the reconstructions"
        if self.rates is not None:
            for what, of in (("images", self.rates.posterior), ("the prior", self.rates.prior)):
                note = f"{of.silent:.1%} silent and {of.saturated:.1%} firing at every step; mean rate {of.mean:.3f}"
                yield f"Latent neurons all or nothing, of {what}", f"{of.extreme:.1%}", "", note
        if self.classification is not None:
            told = self.classification
            note = f"MLP on the encoder's rates, {told.course.epochs} epochs; {told.train_accuracy:.2%} in training"
            published = f"{said['classified']}%" if "classified" in said else ""
            yield "Classes told by the encoder", f"{told.test_accuracy:.2%}", published, note
