"""The group `neuron` of a layer <-> neurons: what each type holds, and what lava-dl would make of it otherwise."""

from typing import Literal

import h5py
import numpy as np

from spikeport.deploy.netx.layers import SDNN_BITS, AnyNeuron, Neuron, ResonatorNeuron, SigmaDeltaNeuron
from spikeport.deploy.netx.node import Node
from spikeport.errors import NetxUnsupported
from spikeport.neurons import ResonatorKind

Place = Literal["input", "dense", "dense_rec", "conv"]

_RF_KINDS: dict[str, ResonatorKind] = {"RF_PHASE": "rf", "RF_IZHIKEVICH": "rf_izhikevich"}
_KNOWN = ("LOIHI", "CUBA", "SDNN", *_RF_KINDS)
_REPLACE = {  # what lava-dl's own reader makes of types that no Program holds
    "ADRF_PHASE": "lava-dl would read it as RF_PHASE, without adaptation; train RF neurons",
    "ADRF_IZHIKEVICH": "lava-dl would read it as RF_IZHIKEVICH, without adaptation; train RF neurons",
    "ALIF": "lava-dl has no model of it either; train CUBA neurons",
}


def read_neuron(layer: Node, place: Place) -> AnyNeuron:
    """The neurons of a layer.

    Raises:
        DeployError: of a type that no Program holds, or in a place or with a field that lava-dl misreads.
    """
    node = layer.child("neuron", f"{layer.where}: neuron")
    kind = node.text("type")
    if kind not in _KNOWN:
        do = _REPLACE.get(kind, "train neurons of one of these types")
        raise NetxUnsupported(node.where, "type", got=kind, relation="is not one of", limit=", ".join(_KNOWN), do=do)
    _check_ignored(node, message_bits=SDNN_BITS if kind == "SDNN" else 0)
    if kind == "SDNN":
        return _sigma_delta(node, place)
    if kind in _RF_KINDS:
        if place != "dense":
            do = "lava-dl stops there, because these neurons have two inputs; use a dense layer with complex weights"
            raise NetxUnsupported(node.where, f"{kind} in a layer of type {place}", relation="is not supported", do=do)
        return ResonatorNeuron(_RF_KINDS[kind], node.integer("vThMant"), node.cut("sinDecay"), node.cut("cosDecay"))
    return Neuron(node.integer("iDecay"), node.integer("vDecay"), node.integer("vThMant"))


def _check_ignored(node: Node, message_bits: int) -> None:
    for name, usual, why in (
        ("refDelay", 1, "lava-dl ignores it"),
        ("gradedSpike", 0, "lava-dl ignores it"),
        ("wgtExp", 0, "lava-dl ignores it"),
        ("weight_exp", 0, "lava-dl ignores it; train with MeanOnlyBatchNorm"),
        ("messageBits", message_bits, "lava-dl cannot read it"),
    ):
        if (found := node.integer(name, usual)) != usual:
            raise NetxUnsupported(node.where, name, got=found, relation="is not", limit=usual, do=why)


def _sigma_delta(node: Node, place: Place) -> SigmaDeltaNeuron:
    if place == "dense_rec":
        do = "SLAYER has no such layer, and lava-dl may drop the payloads; use a dense layer"
        raise NetxUnsupported(node.where, "SDNN in a recurrent layer", relation="is not supported", do=do)
    if "sigma_output" in node:
        if place == "input":
            raise NetxUnsupported(
                node.where, "sigma_output of an input", relation="is not supported", do="lava-dl ignores it"
            )
        if not node.integer("sigma_output"):
            do = "lava-dl asks only whether it is there; delete it"
            raise NetxUnsupported(node.where, "sigma_output", got=False, relation="is not", limit=True, do=do)
        return SigmaDeltaNeuron("sigma")
    if place == "input":
        return SigmaDeltaNeuron("delta", node.integer("vThMant"))
    if "activation" in node and (found := node.text("activation")) != "relu":
        do = "lava-dl would run relu all the same"
        raise NetxUnsupported(node.where, "activation", got=found, relation="is not", limit="relu", do=do)
    return SigmaDeltaNeuron("sigma_delta", node.integer("vThMant"))


def write_neuron(group: h5py.Group, neuron: AnyNeuron) -> None:
    """Data sets as in SLAYER's `device_params`."""
    values: dict[str, object]
    match neuron:
        case Neuron(i_decay, v_decay, v_th_mant):
            values = {"iDecay": i_decay, "vDecay": v_decay, "vThMant": v_th_mant, "refDelay": 1, "gradedSpike": False}
            kind = "CUBA"
        case SigmaDeltaNeuron(stage, v_th_mant):
            values = {"activation": np.bytes_("relu"), "vThMant": v_th_mant}
            values |= {"sigma_output": True} if stage == "sigma" else {}
            kind = "SDNN"
        case ResonatorNeuron(rf_kind, v_th_mant, sin_decay, cos_decay):
            decays = {"sinDecay": _half_beyond(sin_decay), "cosDecay": _half_beyond(cos_decay)}
            values = {**decays, "vThMant": v_th_mant, "gradedSpike": False}
            kind = next(name for name, found in _RF_KINDS.items() if found == rf_kind)
    group.create_dataset("type", data=np.bytes_(kind))
    for name, value in values.items():
        group.create_dataset(name, data=value)


def _half_beyond(decay: int) -> float:
    """What lava-dl cuts to `decay`.

    It turns both decays into an angle and a radius and back (`slayer/neuron/rf.py`, `neuron_params`; lava-nc
    `proc/rf/process.py`), in floats, and cuts the fractions off. An integer may come out one less, if it comes out a
    hair below itself; from the middle between two integers there is nothing to fear.
    """
    return decay + 0.5 if decay >= 0 else decay - 0.5
