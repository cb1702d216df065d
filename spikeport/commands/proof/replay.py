"""Runs the Program of this folder and holds every neuron against what is expected. Needs numpy and nothing else.

    python replay.py [FOLDER]      one line for each file and each layer; exit 0 if all is equal, 1 if not

Steps are counted from 1. In each, every group of neurons clears its state if that is due, takes what arrives, follows
its rule and sends; what is sent at step t arrives at t + 1 + delay. All numbers are integers.
"""

import json
import sys
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace as Part
from typing import Any

import numpy as np

V_MAX = (1 << 23) - 1


def wrap(x: Any, bits: int) -> Any:
    """The low bits, the highest of them the sign."""
    return ((x + (1 << (bits - 1))) & ((1 << bits) - 1)) - (1 << (bits - 1))


def toward_zero(x: Any, bits: int) -> Any:
    return np.sign(x) * (np.abs(x) >> bits)


def shift(x: Any, exp: int) -> Any:
    return x << exp if exp >= 0 else x >> -exp


def lif(g: Part, state: dict[str, Any], a: dict[str, Any], bias: Any, loihi1: bool) -> Any:
    """Changes the state and gives what is sent, as all kinds do; arrays are (samples, neurons)."""
    u, awake = toward_zero(state["u"] * (4095 - g.du), 12), state["rest"] == 0
    if loihi1:
        u = wrap(u + wrap(a["a"] << 6, 22), 24)
    else:  # strict, lava: 32 bits, then one correction into (-2^23, 2^23]
        u = wrap(u + (a["a"] << 6), 32)
        u = np.where(u > 1 << 23, u - (1 << 24), np.where(u <= -(1 << 23), u + (1 << 24), u))
    drive = u + (bias << g.bias_exp)
    v = toward_zero(state["v"] * (4096 - g.dv), 12) + (wrap(drive, 24) if loihi1 else drive)
    v = np.where(awake, np.clip(v, -V_MAX, V_MAX), state["v"])
    s = (v > g.vth << 6).astype(np.int64)
    s -= (v < g.vth_low << 6) if hasattr(g, "vth_low") else 0
    s = np.where(awake, s, 0)
    v = np.where(s != 0, v - (g.vth << 6) if g.reset == "subtract" else 0, v)
    state.update(u=u, v=v, rest=np.where(s != 0, g.refractory_steps, np.maximum(state["rest"] - 1, 0)))
    return s


def sigma_delta(g: Part, state: dict[str, Any], a: dict[str, Any], bias: Any, loihi1: bool) -> Any:
    exp = g.spike_exp + g.state_exp
    x = wrap(a["a"] << exp, 32)
    if g.stage != "delta":
        x = state["sigma"] = wrap(state["sigma"] + a["a"], 32)
    if g.stage == "sigma":
        return x
    if g.stage == "sigma_delta":
        x = wrap(x + (np.reshape(g.bias, -1) << exp), 32)
        x = np.maximum(x, 0) if g.activation == "relu" else x
    d = wrap(x - state["act"] + state["residue"], 32)
    error = wrap(state["error"] + d, 32) if g.cum_error else d
    s = np.where(wrap(np.abs(error), 32) >= g.vth << exp, d, 0)
    state.update(act=x, residue=d - s, error=np.where(wrap(np.abs(s), 32) > 0, 0, error))
    return s >> g.state_exp


def resonator(g: Part, state: dict[str, Any], a: dict[str, Any], bias: Any, loihi1: bool) -> Any:
    c, d, bits, exp, vth = g.cos_decay, g.sin_decay, g.decay_bits, g.state_exp, g.vth << g.state_exp
    re = toward_zero(c * state["re"], bits) - toward_zero(d * state["im"], bits) + wrap(a["re"] << exp, 32)
    im = toward_zero(d * state["re"], bits) + toward_zero(c * state["im"], bits) + wrap(a["im"] << exp, 32)
    re, im = np.clip(re, -V_MAX, V_MAX), np.clip(im, -V_MAX, V_MAX)
    s = (re >= vth) & (im >= 0) & (state["im"] < 0) if g.kind == "rf" else im >= vth
    if g.kind == "rf_izhikevich":
        re, im = np.where(s, 0, re), np.where(s, vth - 1, im)
    state.update(re=re, im=im)
    return s.astype(np.int64)


RULES = {"lif": lif, "sigma_delta": sigma_delta, "resonator": resonator}
VARIABLES = ("u", "v", "rest", "sigma", "act", "residue", "error", "re", "im")


def product(w: Any, x: Any) -> Any:
    """The integer matrix w times (columns, n): in floats, which are quick, where all sums are below 2^53, so exact."""
    if np.abs(x).max(initial=0) * np.abs(w).sum(axis=1).max(initial=0) < 1 << 53:
        return (w.astype(np.float64) @ x.astype(np.float64)).astype(np.int64)
    return w @ x


def weigh(c: Part, w: Any, x: Any) -> Any:
    """(samples, sources) times the weights w: (samples, targets)."""
    out: Any = np.zeros((len(x), int(np.prod(c.target_shape))), np.int64)
    if c.kind == "dense":
        return product(w, x.T).T
    if c.kind == "sparse":
        np.add.at(out.T, c.row, (x[:, c.col] * w).T)
        return out
    (c_out, c_in, k_h, k_w), (p_h, p_w), (s_h, s_w), (d_h, d_w) = w.shape, c.padding, c.stride, c.dilation
    x = np.pad(x.reshape(-1, *c.source_shape), ((0, 0), (0, 0), (p_h, p_h), (p_w, p_w))).transpose(1, 0, 2, 3)
    out = out.reshape(-1, *c.target_shape).transpose(1, 0, 2, 3)
    for g, i, j in np.ndindex(c.groups, k_h, k_w):  # as torch's conv2d, one tap of the kernel at a time
        rows = slice(g * c_out // c.groups, (g + 1) * c_out // c.groups)
        tap = x[g * c_in : (g + 1) * c_in, :, i * d_h :: s_h, j * d_w :: s_w][..., : out.shape[2], : out.shape[3]]
        out[rows] += product(w[rows, :, i, j], tap.reshape(c_in, -1)).reshape(out[rows].shape)
    return out.transpose(1, 0, 2, 3).reshape(out.shape[1], -1)


def deliver(c: Part, s: Any, loihi1: bool) -> Any:
    """(delay, what arrives) pairs."""
    x, late = s if c.graded else (s != 0).astype(np.int64), c.kind == "dense" and np.any(c.delay)
    for delay in np.unique(c.delay):
        w = np.where(c.delay == delay, c.weight, 0)
        if c.graded and late and np.abs(x).max() > V_MAX:  # each product has 32 bits, their sum has 64
            a = np.stack([wrap(w * row, 32).sum(axis=1) for row in x])
        else:
            a = weigh(c, w, x)
        a = shift(wrap(a, 32) if c.graded and not late and c.kind != "conv" else a, c.weight_exp)
        yield delay, wrap(a, 24) if c.kind == "conv" and not loihi1 else a


def read_arrays(path: Path) -> dict[str, Any]:
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def read_program(folder: Path) -> Part:
    """The Program, its arrays in 64 bits, which lose nothing."""
    said = json.loads((folder / "program.json").read_text())
    for key, x in read_arrays(folder / "program.npz").items():
        kind, number, field = key.split("/")
        said[kind][int(number)][field] = x.astype(np.int64)
    parts = {key: [Part(**part) for part in value] for key, value in said.items() if isinstance(value, list)}
    shapes = {part.name: part.shape for part in [*parts["groups"], *parts["inputs"]]}
    for c in [*parts["connections"], *parts["encoders"]]:
        c.source_shape, c.target_shape = shapes[c.source], shapes[c.target]
    return Part(**{**said, **parts})


def steps_of(program: Part, inputs: dict[str, Any]) -> Any:
    """(group, its state and what it sent, `s`) for each step and group, in the order of the Program."""
    (length, batch), loihi1 = next(iter(inputs.values())).shape[:2], program.profile == "loihi1"
    quiet = {g.name: np.zeros((batch, int(np.prod(g.shape))), np.int64) for g in program.groups}
    states = {g.name: {k: quiet[g.name] for k in VARIABLES} for g in program.groups}
    bias = {g.name: g.bias_mant.reshape(-1) for g in program.groups if g.neuron == "lif"}
    coming: dict[Any, Any] = {}
    for t in range(1, length + program.latency + 1):
        sent = {name: x[t - 1].reshape(batch, -1).astype(np.int64) for name, x in inputs.items() if t <= length}
        for e in program.encoders if t <= length else ():  # after the input the last bias stays
            total = shift(weigh(e, e.weight, sent[e.source]), e.weight_exp) + e.offset.reshape(-1)
            bias[e.target] = (total + (1 << e.shift >> 1)) >> e.shift
        for g in program.groups:
            interval = getattr(g, "reset_interval", 0)
            if interval and t % interval == g.reset_offset % interval:
                states[g.name] = {k: quiet[g.name] for k in VARIABLES}
            arrives = {port: coming.pop((t, g.name, port), quiet[g.name]) for port in ("a", "re", "im")}
            sent[g.name] = RULES[g.neuron](g, states[g.name], arrives, bias.get(g.name), loihi1)
            yield g.name, {**states[g.name], "s": sent[g.name]}
        for c in program.connections:
            for delay, a in deliver(c, sent[c.source], loihi1) if c.source in sent else ():
                coming[t + 1 + delay, c.target, c.port] = coming.get((t + 1 + delay, c.target, c.port), 0) + a


def verdict(said: dict[str, Any], arrays: dict[str, Any], trace: dict[Any, Any]) -> str:
    """`equal`, or the first step at which a layer does otherwise than expected."""
    found = []
    for variable, digest in said["sha256"].items():
        x = np.stack(trace[said["name"], variable])  # (steps, samples, neurons)
        want = arrays.get(f"{said['name']}/{variable}", x)
        want = np.unpackbits(want, axis=1, count=x[0].size) if want.dtype == np.uint8 else want
        where = np.argwhere(x != want.reshape(x.shape))[:1]
        found += [(t, f"{variable} of sample {b}, neuron {n} is {x[t, b, n]}") for t, b, n in where]
        steps = [sha256(now.tobytes()).hexdigest()[:16] for now in x]
        found += [(t, f"{variable}, by its hash") for t, h in enumerate(steps) if h != said["steps"][variable][t]]
        found += [(len(x), f"{variable}, by its hash")] * (sha256(x.tobytes()).hexdigest() != digest)
    return f"differs at step {min(found)[0] + 1}: {min(found)[1]}" if found else "equal"


def main(folder: Path) -> int:
    verdicts = {}
    for said in json.loads((folder / "manifest.json").read_text())["files"]:
        same = sha256((folder / said["name"]).read_bytes()).hexdigest() == said["sha256"]
        verdicts[f"file {said['name']}"] = "equal" if same else "is not the one that manifest.json names"
    # told before a damaged file is read
    print("\n".join(f"{what:32} {answer}" for what, answer in verdicts.items()), flush=True)
    trace: dict[Any, Any] = {}
    for name, values in steps_of(read_program(folder), read_arrays(folder / "input.npz")):
        for variable, x in values.items():
            trace.setdefault((name, variable), []).append(x.astype("<i4"))
    arrays, told = read_arrays(folder / "expected.npz"), json.loads((folder / "expected.json").read_text())
    layers = {f"layer {said['name']}": verdict(said, arrays, trace) for said in told["layers"]}
    print("\n".join(f"{what:32} {answer}" for what, answer in layers.items()))
    return int({*verdicts.values(), *layers.values()} != {"equal"})


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else __file__ + "/..").resolve()))
