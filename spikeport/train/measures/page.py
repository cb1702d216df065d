"""One evaluation as a single HTML file: figures beside what was published, pictures, curves, histograms."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from markupsafe import Markup
from torch import Tensor

from spikeport.atomic import replacing
from spikeport.page import drawing, rendered, svg
from spikeport.train.measures import figures
from spikeport.train.measures.evaluation import COLUMNS, Evaluation
from spikeport.train.measures.gallery import Sheet


@dataclass(frozen=True)
class EnergyTable:
    """What the operations cost, priced elsewhere."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str]


@dataclass(frozen=True, eq=False)
class EvaluationPage:
    """Everything that the page shows."""

    evaluation: Evaluation
    sheets: Sequence[Sheet] = ()
    raster: Tensor | None = None
    """Latent spikes of some images, `(N, T, D)`."""
    energy: EnergyTable | None = None
    command: str = ""


def write_evaluation(path: str | os.PathLike[str], page: EvaluationPage) -> None:
    """Through a rename: a failed write leaves nothing behind."""
    text = render_evaluation(page)
    with replacing(path) as name, open(name, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)


def render_evaluation(page: EvaluationPage) -> str:
    """The page as text; the same input gives the same bytes."""
    return rendered(
        files("spikeport.train.measures") / "evaluation.html",
        {},
        page=page,
        evaluation=page.evaluation,
        columns=COLUMNS,
        rows=list(page.evaluation.rows()),
        figures=_figures(page),
    )


def _figures(page: EvaluationPage) -> dict[str, Markup]:
    found = {}
    with drawing():
        if page.evaluation.noise is not None:
            found["noise"] = svg("noise", figures.noise_figure(page.evaluation.noise))
        if page.evaluation.rates is not None:
            found["rates"] = svg("rates", figures.rates_figure(page.evaluation.rates))
        if page.raster is not None:
            found["raster"] = svg("raster", figures.raster_figure(page.raster))
    return found
