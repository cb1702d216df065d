"""Groups that are cut anew in a mapping: finer where a core has too much to do, coarser where that costs nothing."""

from collections.abc import Sequence

import numpy as np

from spikeport.cores import Cut
from spikeport.deploy.cores.multifit import Choices, fits
from spikeport.deploy.cores.options import Option
from spikeport.deploy.cores.pack import in_order
from spikeport.deploy.cores.problem import Problem, Seated, busy, on_cores, within


def finer(problem: Problem, seated: Seated, choices: Choices, cores: int) -> Seated | None:
    """The group with the busiest block of the busiest core in more blocks; None if there is no such cut or no room."""
    sizes = problem.all_sizes(seated.cuts)
    at = int(busy(on_cores(sizes, seated.core)).argmax())
    here = np.flatnonzero(seated.core == at)
    block = int(here[busy(sizes[here]).argmax()])
    ends = np.cumsum([cut.cores for cut in seated.cuts.values()])
    name = list(seated.cuts)[int(np.searchsorted(ends, block, side="right"))]
    more = [option for option in choices[name] if option.cut.cores > seated.cuts[name].cores]
    for option in more[:2]:
        found = recut(problem, seated, choices, name, option.cut, cores)
        if found is not None:
            return found
    return None


def coarser(problem: Problem, seated: Seated, choices: Choices, tries: int) -> Seated:
    """Fewer blocks, of groups with many first, where no core is then busier than the busiest was."""
    most = problem.busiest(seated)
    for name in sorted(seated.cuts, key=lambda name: -seated.cuts[name].cores)[:tries]:
        for option in _fewer(choices[name], seated.cuts[name]):
            found = recut(problem, seated, choices, name, option.cut, seated.cores)
            if found is not None and problem.busiest(found) <= most and found.cores <= seated.cores:
                seated = found
                break
    return seated


def _fewer(choices: Sequence[Option], cut: Cut) -> Sequence[Option]:
    """The fewest, and the next ones."""
    return [option for option in choices if option.cut.cores < cut.cores][:3]


def recut(problem: Problem, seated: Seated, choices: Choices, name: str, cut: Cut, cores: int) -> Seated | None:
    """The other groups stay; each block of this one, the largest first, goes where the core is then least busy.

    None if the cut asks for too much, by itself or of its sources, or if a block finds no room.
    """
    cuts = {**seated.cuts, name: cut}
    sources = {c.source for c in problem.program.connections if c.target == name} & cuts.keys()
    if not all(fits(problem, group, cuts, problem.limits, choices) for group in (name, *sources)):
        return None
    names = list(cuts)
    first = sum(seated.cuts[group].cores for group in names[: names.index(name)])
    own = slice(first, first + cut.cores)
    core = np.concatenate([seated.core[:first], np.full(cut.cores, -1), seated.core[first + seated.cuts[name].cores :]])
    sizes, kinds = problem.all_sizes(cuts), problem.all_kinds(cuts)
    used, kind = np.zeros((cores, sizes.shape[1])), np.full(cores, -1)
    others = core >= 0
    np.add.at(used, core[others], sizes[others])
    kind[core[others]] = kinds[others]
    over = ~within(used, problem.limits)
    if over[: seated.cores][within(problem.used(seated), problem.limits)].any():  # the sources' blocks ask for more
        return None
    for block in first + np.argsort(-busy(sizes[own]), kind="stable"):
        room = within(used + sizes[block], problem.limits) & ((kind == kinds[block]) | (kind < 0))
        if not room.any():
            return None
        at = int(np.where(room, busy(used + sizes[block]), np.inf).argmin())
        core[block], kind[at] = at, kinds[block]
        used[at] += sizes[block]
    return Seated(cuts, in_order(core))
