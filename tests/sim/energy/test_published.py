"""Published counts and energies, from shapes that are written down in TOML: DA-LIF's Table III, and a small net."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from spikeport.sim.energy.conventions import CONVENTIONS, Amounts, total
from spikeport.sim.energy.described import Described, described_named, described_names, parse_described
from spikeport.sim.energy.facts import LayerFacts

MAC_PJ, AC_PJ = Fraction("4.6"), Fraction("0.9")  # 45 nm, 32-bit floating point: Horowitz, ISSCC 2014


def energy_pj(amounts: Amounts) -> Fraction:
    assert amounts.mac is not None and amounts.ac is not None
    return amounts.mac * MAC_PJ + amounts.ac * AC_PJ


def counted(net: Described, convention: str) -> dict[str, Amounts]:
    amounts = CONVENTIONS[convention].amounts(net.facts, net.steps)
    return {layer.name: a for layer, a in zip(net.layers, amounts, strict=True)}


# DA-LIF, Table III. MACs to the unit are what syops 0.0.5 gives on MPBN's models; those printed are rounded.
TABLE_III = {
    # name: (MACs, MACs printed, ACs printed, FLOPs printed, energy in mJ, FLOPs by syops without neurons, SNN / ANN)
    "dalif-cifar100": (56_549_776, "56.55", 143_310_000, 873_470_000, "0.3891", "868.53", "0.387"),
    "dalif-cifar10dvs": (863_846_560, "863.85", 1_420_000_000, 13_930_000_000, "5.2517", "13856", "1.311"),
    "dalif-imagenet": (974_864_288, "974.86", 1_330_000_000, 7_330_000_000, "5.6814", "7298", "0.674"),
}
rows = pytest.mark.parametrize("name", sorted(TABLE_III))


def test_the_networks_of_table_iii_are_shipped() -> None:
    assert set(TABLE_III) <= set(described_names())
    assert [described_named(name).steps for name in sorted(TABLE_III)] == [4, 16, 4]


@rows
def test_macs_of_table_iii_to_the_unit(name: str) -> None:
    macs, printed, *_ = TABLE_III[name]
    net = described_named(name)
    amounts = total(counted(net, "paper-syops").values())
    assert amounts == Amounts(Fraction(macs), None)  # ACs depend on the spikes of a trained network
    assert f"{macs / 1e6:.2f}" == printed


@rows
def test_energies_of_table_iii(name: str) -> None:
    """From the ACs as printed; the paper rounds them before it takes the energy."""
    _, _, acs, flops, printed_mj, _, ratio = TABLE_III[name]
    net = described_named(name)
    macs = total(counted(net, "paper-syops").values()).mac
    energy_mj = energy_pj(Amounts(macs, Fraction(acs))) / 10**9
    assert f"{float(energy_mj):.4f}" == printed_mj
    # against one pass of the ANN; the FLOPs are those of all steps
    assert f"{float(energy_mj / (MAC_PJ * flops / net.steps / 10**9)):.3f}" == ratio


@rows
def test_operations_are_the_flops_that_syops_prints(name: str) -> None:
    """All that is computed if every element were a spike; the paper's own column adds what its neurons compute."""
    *_, flops, _, by_syops, _ = TABLE_III[name]
    net = described_named(name)
    facts = [replace(layer, rate=Fraction(1)) for layer in net.facts if layer.kind != "neurons"]
    amounts = total(CONVENTIONS["paper-syops"].amounts(facts, net.steps))
    operations = amounts.mac + amounts.ac
    digits = len(by_syops.partition(".")[2])
    assert f"{float(operations) / 1e6:.{digits}f}" == by_syops
    assert 0.994 < operations / flops < 1


COMPONENTS = {
    # operations per step: first convolution, the one behind the first pool, shortcuts, norms, membranes, classifier
    "dalif-cifar100": (1_769_472, 9_437_184, 1_572_864, 667_648, 638_976, 51_300),
    "dalif-cifar10dvs": (4_718_592, 37_748_736, 6_291_456, 2_670_592, 2_555_904, 5_130),
    "dalif-imagenet": (118_013_952, 115_605_504, 0, 4_967_424, 4_616_192, 513_000),
}


@rows
def test_where_the_macs_are(name: str) -> None:
    net = described_named(name)
    macs = {layer: int(a.mac) for layer, a in counted(net, "paper-syops").items()}
    first = next(iter(macs))

    def of(chosen: Callable[[str], bool]) -> int:
        return sum(macs.pop(layer) for layer in list(macs) if chosen(layer))

    parts = (
        of(lambda layer: layer == first),
        of(lambda layer: layer == "layer1.0.conv1"),
        of(lambda layer: layer.endswith("shortcut.conv")),
        of(lambda layer: ".bn" in layer or layer == "bn1"),
        of(lambda layer: layer.endswith("membrane")),
        of(lambda layer: layer == "fc"),
    )
    assert parts == tuple(net.steps * part for part in COMPONENTS[name])
    assert not any(macs.values())


class Block(nn.Module):
    def __init__(self, c_in: int, c_out: int, stride: int, averaged: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, 1, 1, bias=False)
        past = [nn.AvgPool2d(2), nn.Conv2d(c_in, c_out, 1)] if averaged else [nn.Conv2d(c_in, c_out, 1, stride)]
        self.past = nn.Sequential(*(past if stride == 2 else []))

    def forward(self, x: Tensor) -> Tensor:
        return (self.conv2(self.conv1(x).relu()) + self.past(x)).relu()


def resnet(c_in: int, classes: int, imagenet: bool) -> nn.Sequential:
    if imagenet:
        stem = [nn.Conv2d(c_in, 64, 7, 2, 3), nn.ReLU(), nn.AvgPool2d(3, 2, 1)]
    else:
        stem = [nn.Conv2d(c, 64, 3, 1, 1) for c in (c_in, 64, 64)] + [nn.AvgPool2d(2)]
    body, channels = [], 64
    for width in (64, 128, 256, 512):
        body += [Block(channels, width, 1 if width == 64 else 2, not imagenet), Block(width, width, 1, False)]
        channels = width
    return nn.Sequential(*stem, *body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, classes))


@pytest.mark.parametrize(
    ("name", "classes", "shape"),
    [
        ("dalif-cifar100", 100, (3, 32, 32)),
        ("dalif-cifar10dvs", 10, (2, 64, 64)),
        ("dalif-imagenet", 1000, (3, 224, 224)),
    ],
)
def test_dense_macs_are_those_that_torch_counts(name: str, classes: int, shape: tuple[int, int, int]) -> None:
    """Two operations per MAC of convolutions and linear layers, on tensors without storage."""
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        resnet(shape[0], classes, name == "dalif-imagenet")(torch.empty(1, *shape))
    assert counter.get_total_flops() == 2 * described_named(name).macs_dense


# Measured on one net and one batch of two samples at five steps by enumeration of all spikes and by other counters:
# events x fan-out, the same without weights of 0, mean rate x T x MACs, and syops 0.0.5.
SMALL_TABLE = {
    "conv1": (24_663, 24_663, 28_836, 30_438),
    "conv2": (18_154, 13_459, 19_719, 19_719),
    "conv3": (17_276, 17_276, 17_829, 18_077),
    "conv4": (550, 550, 640, 640),
    "conv5": (1_414, 1_414, 2_052, 8_208),
    "fc": (1_460, 1_460, 1_460, 1_471),
}
SMALL = """
network.name = "small"
network.steps = 5
layer = [
  { name="conv1", kind="conv", in=[2,16,16], out_channels=6, kernel=3, padding=1, bias=true, fed="spikes" },
  { name="if1", kind="neurons", shape=[6,16,16] },
  { name="conv2", kind="conv", in=[6,16,16], out_channels=8, kernel=3, stride=2, padding=1, groups=2, fed="spikes" },
  { name="if2", kind="neurons", shape=[8,8,8] },
  { name="conv3", kind="conv", in=[8,8,8], out_channels=8, kernel=3, dilation=2, bias=true, fed="spikes" },
  { name="if3", kind="neurons", shape=[8,4,4] },
  { name="pool", kind="pool", in=[8,4,4], fed="spikes" },
  { name="conv4", kind="conv", in=[8,2,2], out_channels=4, kernel=1, fed="graded" },
  { name="if4", kind="neurons", shape=[4,2,2] },
  { name="conv5", kind="conv_transpose", in=[4,2,2], out_channels=4, kernel=3, stride=2, padding=1, output_padding=1,
    fed="spikes" },
  { name="if5", kind="neurons", shape=[4,4,4] },
  { name="fc", kind="linear", in_features=64, out_features=10, bias=true, fed="spikes" },
]
""".replace("output_padding=1,\n    ", "output_padding=1, ")


def small(**changes: Callable[[LayerFacts], Fraction]) -> tuple[LayerFacts, ...]:
    """The facts of the small net, with `rate` or `sops` as functions of a layer."""
    facts = parse_described("small", SMALL.encode()).facts
    return tuple(replace(f, **{key: change(f) for key, change in changes.items() if f.synaptic}) for f in facts)


def events(layer: LayerFacts) -> Fraction:
    """Events of both samples at all steps, solved from the column of mean rate x T x MACs."""
    return Fraction(SMALL_TABLE[layer.name][2] * layer.slots * 2, layer.macs_dense)


def rate(layer: LayerFacts) -> Fraction:
    return events(layer) / (layer.slots * 5 * 2)


def half_bias(layer: LayerFacts) -> Fraction:
    return layer.rate * layer.outputs * 5 / 2


def test_shapes_of_the_small_net() -> None:
    net = parse_described("small", SMALL.encode())
    transposed = next(f for f in net.facts if f.name == "conv5")
    assert 5 * (net.macs_valid - transposed.macs_valid) == 240_360
    assert 5 * transposed.macs_valid == 2_000
    assert 5 * (net.macs_dense - transposed.macs_dense) == 257_280


@pytest.mark.parametrize(("column", "energy_nj"), [(0, "59.20"), (1, "54.97")])
def test_exact_energy_of_the_small_net(column: int, energy_nj: str) -> None:
    """The convolution behind the pool is fed by means of spikes: MACs on those that are not 0."""
    facts = small(sops=lambda f: Fraction(SMALL_TABLE[f.name][column]))
    amounts = total(CONVENTIONS["exact"].amounts(facts, 5))
    assert amounts.mac == 550
    assert f"{float(energy_pj(amounts)) / 1000:.2f}" == energy_nj


def test_the_formula_and_syops_on_the_small_net() -> None:
    """Rates solved from one column, where they are whole numbers of events, give the other."""
    facts = [f for f in small(rate=rate) if f.synaptic]
    spikes = [f for f in facts if f.fed == "spikes"]
    assert all(events(f).denominator == 1 and f.rate <= 1 for f in spikes)
    formula, syops = (CONVENTIONS[name].amounts(spikes, 5) for name in ("paper-spikformer", "paper-syops"))
    assert [int(a.ac) for a in formula] == [SMALL_TABLE[f.name][2] for f in spikes]
    # syops adds the bias of a linear layer once per batch: half of it for each of two samples
    charged = [a.ac - half_bias(f) if f.kind == "linear" else a.ac for f, a in zip(spikes, syops, strict=True)]
    assert [round(ac) for ac in charged] == [SMALL_TABLE[f.name][3] for f in spikes]
    # the column charges the convolution behind the pool as MACs of every step
    (pooled,) = CONVENTIONS["paper-syops"].amounts([f for f in facts if f.fed == "graded"], 5)
    assert f"{float(energy_pj(total([*formula, pooled]))) / 1000:.2f}" == "65.85"


def test_all_operations_of_the_small_net() -> None:
    """As syops prints them, half a bias of the linear layer apart."""
    facts = [replace(f, rate=Fraction(1)) for f in small()]
    amounts = total(CONVENTIONS["paper-syops"].amounts(facts, 5))
    assert amounts.mac + amounts.ac - 5 * 10 // 2 == 289_065


@pytest.mark.parametrize(("normed", "energy_nj"), [(False, "83.64"), (True, "154.3")])
def test_energy_of_the_small_net_by_syops(normed: bool, energy_nj: str) -> None:
    """Also with a batch norm behind the first convolution that is not folded.

    Of the rate at the pool nothing is printed; 0.73 is what the total leaves for it.
    """
    norm = [LayerFacts(name="bn", kind="batch_norm", fed="analog", elements=6 * 16 * 16)] if normed else []
    facts = [*(replace(f, rate=Fraction("0.73")) if f.kind == "pool" else f for f in small(rate=rate)), *norm]
    amounts = total(CONVENTIONS["paper-syops"].amounts(facts, 5))
    fc = next(f for f in facts if f.kind == "linear")
    digits = len(energy_nj.partition(".")[2])
    assert f"{float(energy_pj(amounts) - AC_PJ * half_bias(fc)) / 1000:.{digits}f}" == energy_nj
