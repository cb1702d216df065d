"""Network to integers: every population's parameters become the chip's, exactly where they lie on its grid."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from spikeport.deploy.network import Network
from spikeport.deploy.options import Options
from spikeport.deploy.passes.base import AbstractPass
from spikeport.deploy.passes.first_layer import encode, with_one_map
from spikeport.deploy.passes.names import with_plain_names
from spikeport.deploy.quantize.choose import rounded_network
from spikeport.deploy.quantize.integer_network import IntegerNetwork
from spikeport.errors import ImageLayer, PassError


@dataclass(frozen=True)
class Quantize(AbstractPass[Network, IntegerNetwork]):
    name: ClassVar[str] = "quantize"

    def requires(self, before: Network, options: Options) -> None:
        images = {name for name, _ in before.inputs} if options.input == "bias" else set()
        helpers = {p.name for p in before.populations if p.helper}
        for p in before.populations:
            into = before.into(p.name)
            if not any(q.source in images for q in into):
                continue
            others = {(q.source, q.lag) for q in into if q.source not in helpers}
            if len(others) > 1:
                got, do = len(others) - 1, "give the image a layer of its own"
                raise ImageLayer(p.name, "sources besides the image", got=got, relation="exceed", limit=0, do=do)
            if np.any(p.keep_u) or p.start != 1:
                do = "let the first layer be neurons without current whose v starts at v_reset"
                raise ImageLayer(p.name, "cannot be loaded with an image", do=do)

    def run(self, before: Network, options: Options) -> IntegerNetwork:
        named = with_plain_names(before)
        images = {name for name, _ in named.inputs} if options.input == "bias" else set()
        named = with_one_map(named, images)
        rounded, hosted = {}, {}
        for p in named.populations:
            into = named.into(p.name)
            if into and into[0].source in images:
                rounded[p.name], hosted[p.name] = encode(p, into[0], options)
        return IntegerNetwork(named, rounded_network(named, options, rounded, hosted), hosted)

    def ensures(self, after: IntegerNetwork, options: Options) -> None:
        for p in after.network.populations:
            found = [w.shape for w in after.rounded[p.name].weights]
            if len(found) != len(after.hears(p.name)):
                raise PassError(self.name, "lost weights", got=p.name)
