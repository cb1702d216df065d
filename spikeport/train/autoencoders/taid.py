"""TAID, temporal attentive image decoding (its eq. 2 and 3): the image is a sum over steps that attention weighs.

With S (T, B, c, h, w), what the last synapse gives at each step, not spikes:

    code    X = mean_{h,w} S (T, B, c)      F = sigmoid(W X)      sum_t F[t] S[t]
    paper   X = mean_{c,h,w} S (T, B)       F = sigmoid(W X)      (1 / T) sum_t F[t] S[t]

W (T, T) has no bias and is shared by the channels. The paper's sum over i in eq. 3 runs over the steps. Images of one
channel differ by the factor T alone.

In eval mode the synapse's parameters are whole numbers of 2^-20 and sums are exact, so that every host has the same
image (`spikeport.host`).
"""

import torch
from torch import Tensor, nn

from spikeport import host
from spikeport.errors import UnknownName
from spikeport.train.synapses import QuantConvTranspose2d

FORMS = ("code", "paper")


class Taid(nn.Module):
    """The last synapse and the attention, both on the host, in float; in eval mode in float64.

    Args:
        steps: T.
        form: A name in `FORMS`.
    """

    def __init__(self, synapse: QuantConvTranspose2d, steps: int, form: str = "code") -> None:
        super().__init__()
        if form not in FORMS:
            raise UnknownName("taid", "form", got=form, relation="is not one of", limit=", ".join(FORMS))
        self.synapse = synapse
        self.attention = nn.Linear(steps, steps, bias=False)
        self.form = form

    def forward(self, spikes: Tensor) -> Tensor:
        """`(T, B, c', h, w)` to `(B, c, h, w)`."""
        if self.training:
            return self.fuse(self._synapse(spikes, self.synapse.weight, self.synapse.bias))
        weight, bias = self.whole()
        rows = self.attention.weight.double().tolist()
        found: Tensor = host.attend(self._synapse(spikes, weight, bias), rows, self.form)
        return found

    def whole(self) -> tuple[Tensor, Tensor]:
        """Weight, in the synapse's shape, and bias of the synapse as the host has them: float64, whole, in 2^-20."""
        with torch.no_grad():
            weight, bias = self.synapse.weight.double(), self.synapse.bias
            given = weight.new_zeros(self.synapse.out_channels) if bias is None else bias.double()
            return host.whole(weight), host.whole(given)

    def _synapse(self, spikes: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        y = self.synapse.apply_weight(spikes.flatten(0, 1).to(weight.dtype), weight, bias)
        return y.reshape(*spikes.shape[:2], *y.shape[1:])

    def fuse(self, y: Tensor) -> Tensor:
        """`(T, B, c, h, w)` to `(B, c, h, w)`."""
        of_code = self.form == "code"
        means = y.mean((3, 4)) if of_code else y.mean((2, 3, 4), keepdim=True).flatten(2)
        weights = torch.sigmoid(self.attention(means.movedim(0, -1))).movedim(-1, 0)
        total = (weights[..., None, None] * y).sum(0)
        return total if of_code else total / len(y)
