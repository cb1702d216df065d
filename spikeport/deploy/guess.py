"""Which framework wrote a NIR file: guessed from what each leaves in it, and said with the reason.

The tell-tales are those of the exporters of norse 1.1.0, snntorch 1.0.0, spikingjelly 2.0.0, sinabs 3.1.3 and
rockpool 3.1.0, as the files in `tests/vectors/interop` show them. The commands print a guess and its reason; in Python
`pipeline.read_as` gives them. A name overrides a guess.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from spikeport.deploy.convention import NIR, PRESETS, Convention
from spikeport.deploy.graph import Graph
from spikeport.deploy.nodes import IF, LI, LIF, CubaLI, CubaLIF, Floats, Neuron, Node
from spikeport.errors import UnknownConvention

DT_S = 1e-4  # what snnTorch and SpikingJelly write by
CLOSE = 1e-5  # relative: files hold float32
STEPS = 0.5  # a time constant of half a second and more counts steps
Leaking = LI | LIF | CubaLI | CubaLIF


RESET_OPEN = (
    "snnTorch's files do not say how neurons reset: to zero is taken; "
    "--convention snntorch-subtract is for reset_mechanism='subtract', snnTorch's default"
)
FLOOR_OPEN = (
    "sinabs's files do not say whether v of an IAF has a floor: at -threshold is taken, as from_model makes it; "
    "--convention sinabs-no-floor is for min_v_mem=None, the layers' default"
)


@dataclass(frozen=True)
class Guess:
    convention: Convention
    reason: str
    open: tuple[str, ...] = ()
    """What no file of that framework's can say, and how to say it."""

    def line(self) -> str:
        """For people: what was taken, why, and how to take another."""
        return f"read as {self.convention.name} steps it: {self.reason}; --convention NAME takes another"

    def lines(self) -> tuple[str, ...]:
        return (self.line(), *self.open)


def guess(graph: Graph) -> Guess:
    """The convention of the framework that seems to have written the graph; NIR's own equations if none does."""
    leaking = {n: node for n, node in graph.nodes.items() if isinstance(node, Leaking)}
    integrating = {n: node for n, node in graph.nodes.items() if isinstance(node, IF)}
    names = [*leaking, *integrating]
    if leaking and any(re.fullmatch(r"\d+_\w+Torch", name) for name in graph.nodes):
        dt_s = _rockpool_step(next(iter(leaking.values())))
        told = f"nodes are named after rockpool's modules, and r holds a step of {dt_s:.6g} s"
        return Guess(replace(PRESETS["rockpool"], dt_s=dt_s), told)
    if names and all(re.fullmatch(r"_\d+", name) for name in names):
        return Guess(PRESETS["spikingjelly"], f"nodes are named {names[0]}, as SpikingJelly's exporter does")
    if leaking and all(_tau(node).min() >= STEPS for node in leaking.values()):
        ones = all(np.all(node.r == 1) for node in leaking.values())
        told = f"tau of {next(iter(leaking))} is {_tau(next(iter(leaking.values()))).flat[0]:g}, a number of steps"
        return Guess(PRESETS["sinabs" if ones else "spyx"], told, (FLOOR_OPEN,) if ones and integrating else ())
    if leaking and all(_near(node.r, _tau(node) / DT_S) for node in leaking.values()):
        return Guess(PRESETS["snntorch"], f"r is tau / {DT_S:g} s, as snnTorch's exporter writes it", (RESET_OPEN,))
    short = [n for n, node in leaking.items() if np.any(_tau(node) < 0.9 * DT_S) and np.all(node.r == 1)]
    if short:  # of norse's own time constants, 10 ms is 1e-5
        name = short[0]
        told = f"tau of {name} is {_tau(leaking[name]).min():g} s, which norse 1.1 has multiplied by its step"
        return Guess(PRESETS["norse"], told)
    if integrating and not leaking:
        if all(_near(node.r, np.full_like(node.r, 1 / DT_S)) for node in integrating.values()):
            return Guess(PRESETS["spikingjelly"], f"r of {names[0]} is 1 / {DT_S:g} s, as SpikingJelly writes an IF")
        if all(np.all(node.r == 1) for node in integrating.values()):
            told = f"r of {names[0]} is 1, as sinabs writes an IF (norse does, too)"
            return Guess(PRESETS["sinabs"], told, (FLOOR_OPEN,))
    return Guess(NIR, "nothing tells a framework; NIR's equations by Euler's rule")


def convention_named(name: str) -> Convention:
    """Raises DeployError with the known names if there is no such preset."""
    if name not in PRESETS:
        raise UnknownConvention("convention", "name", got=name, relation="is not one of", limit=", ".join(PRESETS))
    return PRESETS[name]


def mended(graph: Graph, convention: Convention) -> tuple[Graph, tuple[str, ...]]:
    """The graph as its framework meant it, where its exporter is known to write something else, and what was changed.

    norse 1.1.0 `to_nir` writes dt / tau_mem_inv for tau, which is tau times its step (norse#411), and a w_in of 1 where
    a current takes all that enters. rockpool 3.1.0 writes a w_in of 1 for a current of which a step's part is lost at
    once.
    """
    mend = _MENDS.get(convention.name)
    if mend is None:
        return graph, ()
    nodes: dict[str, Node] = {}
    told: list[str] = []
    for name, node in graph.nodes.items():
        nodes[name], found = mend(name, node, convention)
        told += found
    return replace(graph, nodes=nodes), tuple(told)


def _norse(name: str, node: Node, convention: Convention) -> tuple[Node, list[str]]:
    if isinstance(node, CubaLI | CubaLIF):
        return _norse_current(name, node, convention)
    if not isinstance(node, LI | LIF) or node.tau.max() >= 0.1 * convention.dt_s:
        return node, []
    tau = node.tau / convention.dt_s
    told = f"{name}: tau {node.tau.flat[0]:g} s is taken as {tau.flat[0]:g} s; norse 1.1 multiplies it by its step"
    return replace(node, tau=tau), [told]


def _norse_current(name: str, node: CubaLI | CubaLIF, convention: Convention) -> tuple[Node, list[str]]:
    dt_s, told = convention.dt_s, []
    if max(node.tau_mem.max(), node.tau_syn.max()) < 0.1 * dt_s:
        was, node = node, replace(node, tau_mem=node.tau_mem / dt_s, tau_syn=node.tau_syn / dt_s)
        for key, a, b in (("tau_mem", was.tau_mem, node.tau_mem), ("tau_syn", was.tau_syn, node.tau_syn)):
            told.append(
                f"{name}: {key} {a.flat[0]:g} s is taken as {b.flat[0]:g} s; norse 1.1 multiplies it by its step"
            )
    if np.all(node.w_in == 1):
        w_in = node.tau_syn / dt_s
        told.append(f"{name}: w_in 1 is taken as {w_in.flat[0]:.6g}; norse's current takes all that enters")
        node = replace(node, w_in=w_in)
    return node, told


def _rockpool(name: str, node: Node, convention: Convention) -> tuple[Node, list[str]]:
    if not isinstance(node, CubaLI | CubaLIF) or np.any(node.w_in != 1):
        return node, []
    w_in = np.exp(-convention.dt_s / node.tau_syn)
    told = f"{name}: w_in 1 is taken as {w_in.flat[0]:.6g}; rockpool lets new current decay within its step"
    return replace(node, w_in=w_in), [told]


def _rockpool_step(node: Neuron) -> float:
    """dt of r = tau exp(-dt / tau) / dt (rockpool 3.1.0, LIFTorch.as_graph); it falls as dt grows."""
    tau, r = float(_tau(node).flat[0]), float(node.r.flat[0])  # type: ignore[union-attr]
    low, high = 0.0, tau / r if r > 0 else tau
    for _ in range(100):
        dt_s = (low + high) / 2
        low, high = (dt_s, high) if tau * np.exp(-dt_s / tau) / dt_s > r else (low, dt_s)
    return high


_MENDS: Mapping[str, Callable[[str, Node, Convention], tuple[Node, list[str]]]] = {
    "norse": _norse,
    "rockpool": _rockpool,
}


def _tau(node: Neuron) -> Floats:
    return node.tau if isinstance(node, LI | LIF) else node.tau_mem  # type: ignore[union-attr]


def _near(a: Floats, b: Floats) -> bool:
    return bool(np.all(np.abs(a - b) <= CLOSE * np.abs(b)))
