"""Where a graph begins and ends: Inputs and Outputs that the file lacks, and ends that are connected the wrong way."""

from collections.abc import Iterator

from spikeport.deploy.graph import Edge
from spikeport.deploy.nodes import Input, Linear, Output, Shape
from spikeport.deploy.reader.fit import own_shape
from spikeport.deploy.reader.kinds import Parsed
from spikeport.errors import GraphBroken


def with_ends(parsed: dict[str, Parsed], edges: list[Edge], remarks: list[str]) -> tuple[dict[str, Parsed], list[Edge]]:
    """A graph without any Input gets one before each node that nothing feeds, and so with Outputs at the other end.

    Names are those that nir 1.0.8 gives (`NIRGraph.infer_types`). A graph that has some Input gets no other: what
    nothing feeds there has lost its edge.

    Raises:
        DeployError: an end that is connected the wrong way or not at all, or an input whose shape nothing says.
    """
    if not parsed:
        raise GraphBroken("graph", "has no nodes", do="export a whole network")
    fed, feeding = {b for _, b in edges}, {a for a, _ in edges}
    _check(parsed, edges, fed, feeding)
    more: dict[str, Parsed] = {}
    links: list[Edge] = []
    if not any(isinstance(p.node, Input) for p in parsed.values()):
        for name in (n for n in parsed if n not in fed):
            shape = _shape_before(name, parsed[name])
            more[new := _free(f"input_{name}", parsed)] = Parsed(Input(shape))
            links.append((new, name))
            remarks.append(f"{name}: nothing feeds it; it gets the Input {new} of shape {shape}")
    elif lost := [n for n, p in parsed.items() if n not in fed and not isinstance(p.node, Input)]:
        raise GraphBroken(lost[0], "is fed by nothing", do="connect it, or remove it")
    outputs = any(isinstance(p.node, Output) for p in parsed.values())
    for name in (n for n, p in parsed.items() if n not in feeding and not isinstance(p.node, Output)):
        if outputs:
            remarks.append(f"{name}: feeds nothing, not even an Output")
            continue
        more[new := _free(f"output_{name}", parsed)] = Parsed(Output())
        links.append((name, new))
        remarks.append(f"{name}: feeds nothing; it gets the Output {new}")
    return parsed | more, edges + links


def _check(parsed: dict[str, Parsed], edges: list[Edge], fed: set[str], feeding: set[str]) -> None:
    for a, b in edges:
        for name, kind, what in ((b, Input, "an Input that is fed"), (a, Output, "an Output that feeds")):
            if isinstance(parsed[name].node, kind):
                got, do = f"{a} -> {b}", "remove the edge, or let it go past the node"
                raise GraphBroken(name, f"is {what}", got=got, do=do)
    for name, p in parsed.items():
        if isinstance(p.node, Output) and name not in fed:
            raise GraphBroken(name, "is an Output that nothing feeds", do="connect it, or remove it")
        if isinstance(p.node, Input) and name not in feeding:
            raise GraphBroken(name, "is an Input that feeds nothing", do="connect it, or remove it")


def _shape_before(name: str, parsed: Parsed) -> Shape:
    if isinstance(parsed.node, Linear):
        return (parsed.node.weight.shape[1],)
    shape = parsed.stated or own_shape(parsed.node)
    if not shape:
        what = "is fed by nothing, and its input shape is not known"
        raise GraphBroken(name, what, do="put an Input node before it")
    return shape


def _free(name: str, taken: dict[str, Parsed]) -> str:
    names: Iterator[str] = (f"{name}_{k}" for k in range(len(taken) + 1))
    return name if name not in taken else next(n for n in names if n not in taken)
