"""Energy and latency of a Program as a single HTML file that needs no network, no script and no other file."""

import os
from collections.abc import Sequence
from importlib.resources import files

from markupsafe import Markup

from spikeport.atomic import replacing
from spikeport.errors import ArraysDiffer, OptionMisused
from spikeport.page import drawing, rendered, svg
from spikeport.program import Program
from spikeport.sim.energy import figures, tables
from spikeport.sim.energy.conventions import convention_named
from spikeport.sim.energy.estimated import Energy
from spikeport.sim.energy.evidence import PRICE_COLUMNS, check_rows, price_tables
from spikeport.sim.energy.formats import format_bounds, format_energy, format_time


def write_page(
    path: str | os.PathLike[str],
    title: str,
    program: Program,
    energies: Sequence[Energy],
    *,
    names: Sequence[str] = (),
    command: str = "",
) -> None:
    """As `render_page`, through a rename: a failed write leaves nothing behind."""
    page = render_page(title, program, energies, names=names, command=command)
    with replacing(path) as name, open(name, "w", encoding="utf-8", newline="\n") as file:
        file.write(page)


def render_page(
    title: str, program: Program, energies: Sequence[Energy], *, names: Sequence[str] = (), command: str = ""
) -> str:
    """The page as text; the same input gives the same bytes.

    Args:
        program: What the first energy was counted of.
        energies: The first is the page's subject; the others, by other profiles or of other Programs, are compared.
        names: What to call each energy, their profiles' names if empty.
        command: That makes this page again.

    Raises InputError if there are no energies, or not as many names.
    """
    if not energies:
        raise OptionMisused("page", "energies", relation="are", limit="missing")
    if names and len(names) != len(energies):
        raise ArraysDiffer("page", "names", got=len(names), relation="are not", limit=len(energies))
    energy = energies[0]
    profiles = list({one.profile.sha256: one.profile for one in energies}.values())
    named = list(names) or [one.profile.name for one in energies]
    return rendered(
        files("spikeport.sim.energy") / "energy.html",
        {"energy": format_energy, "bounds": format_bounds, "time": format_time},
        title=title,
        program=program,
        energy=energy,
        energies=list(zip(named, energies, strict=True)),
        convention=convention_named(energy.convention),
        banners=_banners(energies),
        figures=_figures(energies),
        logarithmic=figures.scale_of(energies).logarithmic,
        legend=figures.legend(energy),
        tables=tables,
        prices=price_tables(energies),
        price_columns=PRICE_COLUMNS,
        profiles=profiles,
        checks=check_rows(profiles),
        compared=tables.compared_rows(named, energies) if len(energies) > 1 else [],
        caveats=list(dict.fromkeys(caveat for one in energies for caveat in one.caveats)),
        command=command,
    )


def _banners(energies: Sequence[Energy]) -> dict[str, str]:
    """What must stand beside the numbers, by profile."""
    profiles = [profile for energy in energies for profile in (energy.profile, energy.arithmetic)]
    return {profile.name: profile.banner for profile in profiles if profile.banner}


def _figures(energies: Sequence[Energy]) -> dict[str, Markup | list[Markup] | None]:
    energy, scale = energies[0], figures.scale_of(energies)
    with drawing():
        return {
            "layers": svg("layers", figures.layers_figure(energy)),
            "bounds": [svg(f"bounds{k}", figures.bounds_figure(one, scale)) for k, one in enumerate(energies)],
            "rates": svg("rates", figures.rates_figure(energy.counts)),
            "sensitivity": svg("sensitivity", figures.sensitivity_figure(energy)),
            "steps": None if energy.latency is None else svg("steps", figures.steps_figure(energy.latency)),
        }
