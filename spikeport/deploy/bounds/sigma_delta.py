"""Bounds of sigma-delta neurons: what all changes add up to, and the changes of that.

With x what a delta stage encodes, act - residue is x at the last send (`sources`), so that
d = x - act + residue is the difference of two values of x. A sigma has bounds only where its sources' payloads add up
to something bounded: those of proven delta neurons do, those of inputs do not.
"""

from collections.abc import Mapping

import numpy as np

from spikeport.deploy.bounds.arriving import arriving
from spikeport.deploy.bounds.base import CEILING, V_WORD, Bound, Sent
from spikeport.deploy.bounds.sources import activated, settled
from spikeport.fixed import Ints
from spikeport.neurons import SigmaDelta
from spikeport.program import Program


def bounds(program: Program, neurons: SigmaDelta, sources: Mapping[str, Sent]) -> tuple[Bound, ...]:
    """Of each word that the rule watches, in its order; `a` of stage `delta` is watched as a << e."""
    into = arriving(program, neurons, sources)
    e = neurons.scale_exp
    if neurons.stage == "delta":
        low, high = (np.clip(a, -CEILING, CEILING) << e for a in (into.low, into.high))
        return (*into.words, Bound("a", low, high, V_WORD), *_encoding(neurons, low, high))
    found = (*into.words, Bound("a", into.low, into.high, None))
    sigma = Bound("sigma", into.total_low, into.total_high, V_WORD)
    if neurons.stage == "sigma":
        return (*found, sigma)
    bias = np.asarray(neurons.bias, np.int64).reshape(-1) << e
    x = Bound("activation", *_followed(sigma.low + bias, sigma.high + bias), V_WORD)
    return (*found, sigma, x, *_encoding(neurons, *activated(neurons, x.low, x.high)))


def _encoding(neurons: SigmaDelta, low: Ints, high: Ints) -> tuple[Bound, ...]:
    """d, and the error before it is compared: what an unsent error has come to is below the threshold.

    An error that reaches the threshold is cleared, unless d is 0 and nothing is sent; but then it had not grown.
    """
    rest_low, rest_high = settled(neurons, low, high)
    d = Bound("delta", *_followed(low - rest_high, high - rest_low), V_WORD)
    if not neurons.cum_error:
        return (d,)
    kept = max(0, (neurons.vth << neurons.scale_exp) - 1)
    return d, Bound("error", *_followed(d.low - kept, d.high + kept), V_WORD)


def _followed(low: Ints, high: Ints) -> tuple[Ints, Ints]:
    """Not beyond `CEILING`."""
    return np.maximum(low, -CEILING), np.minimum(high, CEILING)
