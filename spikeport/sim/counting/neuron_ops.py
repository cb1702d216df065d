"""Integer operations of the neuron updates, by kind of neuron, read off `sim/rules`.

Of every neuron at every step, whether or not anything arrived:

    kind                     mul          add                                cmp
    LIF                      [u] + [v]    [u memory] + [v memory] + [bias]   1, 2 with vth_low
      refractory_steps       -            + 1 (the counter)                  + 1 (does it rest)
    SigmaDelta delta         0            3 (d takes 2, the residue 1)       1
      sigma                  0            1                                  0
      sigma_delta            0            4 + [bias]                         1, 2 with relu
      cum_error              -            + 1                                -
    Resonator rf             4            4                                  3
      rf_izhikevich          4            4                                  1

[u] is 1 unless u is forgotten (du = 4095) or kept whole (du = -1); [u memory] is 1 unless it is forgotten. [v] and
[v memory] likewise, with dv = 4096 and 0; a v that is forgotten still adds nothing but its bias. [bias] is 1 where any
neuron of the group has one, or an encoder loads it. So an integrate-and-fire neuron takes 0/1/1, a leaky one 1/1/1.

Of every spike in addition: soft reset subtracts (add 1), all others select (cmp): hard reset 1, refractory_steps
1 more for the counter, cum_error 1, rf_izhikevich 2 (re and im). rf and SigmaDelta without cum_error select nothing.

Shifts, signs and magnitudes, saturation and what a resting neuron is spared are not counted; nor is adding up what
arrives, which is the synaptic operations.
"""

from dataclasses import dataclass

from spikeport import fixed
from spikeport.neurons import LIF, Group, Resonator, SigmaDelta


@dataclass(frozen=True)
class NeuronOps:
    """Multiplications, additions or subtractions, and comparisons or selections."""

    mul: int = 0
    add: int = 0
    cmp: int = 0

    def __add__(self, other: "NeuronOps") -> "NeuronOps":
        return NeuronOps(self.mul + other.mul, self.add + other.add, self.cmp + other.cmp)

    def times(self, n: int) -> "NeuronOps":
        """As many, n times."""
        return NeuronOps(self.mul * n, self.add * n, self.cmp * n)


def ops_per_update(group: Group, biased: bool) -> NeuronOps:
    """Of one neuron in one step.

    Args:
        biased: Whether a bias other than 0 is stored or loaded.
    """
    match group:
        case LIF():
            u, v = _kept(fixed.keep_u(group.du)), _kept(fixed.keep_v(group.dv))
            compared = NeuronOps(add=int(biased), cmp=1 if group.vth_low is None else 2)
            rests = NeuronOps(add=1, cmp=1) if group.refractory_steps else NeuronOps()
            return u + v + compared + rests
        case SigmaDelta():
            sums = NeuronOps(add=1) if group.stage != "delta" else NeuronOps()
            encodes = NeuronOps(add=3 + group.cum_error, cmp=1) if group.stage != "sigma" else NeuronOps()
            relu = group.stage == "sigma_delta" and group.activation == "relu"
            return sums + encodes + NeuronOps(add=int(biased), cmp=int(relu))
        case Resonator():
            return NeuronOps(mul=4, add=4, cmp=3 if group.kind == "rf" else 1)


def ops_per_spike(group: Group) -> NeuronOps:
    """What a spike adds to that."""
    match group:
        case LIF():
            reset = NeuronOps(add=1) if group.reset == "subtract" else NeuronOps(cmp=1)
            return reset + NeuronOps(cmp=1 if group.refractory_steps else 0)
        case SigmaDelta():
            return NeuronOps(cmp=int(group.cum_error))
        case Resonator():
            return NeuronOps(cmp=0 if group.kind == "rf" else 2)


def _kept(keep: int) -> NeuronOps:
    """Of a state of which keep / 4096 stays, and to which something is added."""
    return NeuronOps(mul=int(0 < keep < fixed.DECAY_ONE), add=int(keep > 0))
