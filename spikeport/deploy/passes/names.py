"""Names of a graph's nodes as a Program takes them: letters, digits and underscores."""

import re
from collections.abc import Collection, Iterable
from dataclasses import replace

from spikeport.deploy.network import Network


def free(name: str, taken: Collection[str]) -> str:
    """The name, or one like it that is not taken."""
    while name in taken:
        name += "_"
    return name


def with_plain_names(network: Network) -> Network:
    """The same network; `outer.inner` is called `outer_inner`, or `outer_inner_2` if there is such a node already."""
    inputs, outputs = [name for name, _ in network.inputs], [o.name for o in network.outputs]
    new = plain_names([*inputs, *(p.name for p in network.populations), *outputs])
    return replace(
        network,
        populations=tuple(replace(p, name=new[p.name]) for p in network.populations),
        projections=tuple(replace(p, source=new[p.source], target=new[p.target]) for p in network.projections),
        inputs=tuple((new[name], shape) for name, shape in network.inputs),
        outputs=tuple(replace(o, name=new[o.name], source=new[o.source]) for o in network.outputs),
    )


def plain_names(names: Iterable[str]) -> dict[str, str]:
    """A distinct plain name for each; a name that is plain stays as it is."""
    found: dict[str, str] = {}
    plain = {name: re.sub(r"[^A-Za-z0-9_]", "_", name) for name in names}
    taken = {name for name, to in plain.items() if name == to}
    for name, to in plain.items():
        if name != to:
            free, k = to, 2
            while free in taken:
                free, k = f"{to}_{k}", k + 1
            taken.add(free)
            to = free
        found[name] = to
    return found
