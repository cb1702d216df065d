"""What you train is what runs, of a spiking autoencoder: its encoder's spikes, and the v that its decoder ends in."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from spikeport import fixed
from spikeport.commands.compiling.gap import measure
from spikeport.deploy import check, compile_graph
from spikeport.deploy.bounds import prove
from spikeport.deploy.calibration import Calibration
from spikeport.deploy.interpreter import interpret
from spikeport.deploy.lava import run_lava_jobs
from spikeport.deploy.pipeline import compiled as compiled_stages
from spikeport.deploy.read import from_nir
from spikeport.errors import DeployError, ExportError
from spikeport.export import to_nir
from spikeport.program import Conv, Dense, Program, Sparse
from spikeport.sim import simulate
from spikeport.sim.compare import compare
from spikeport.train import (
    LIF,
    Image,
    QuantConv2d,
    QuantConvTranspose2d,
    QuantLinear,
    SpikingLayer,
    TDBatchNorm1d,
    TDBatchNorm2d,
)
from spikeport.train.autoencoders import Integrator
from spikeport.train.synapses import Synapse
from tests.lava import lava_or_skip
from tests.nets import Rng, chance, pick
from tests.whole_way import (
    assert_same_integers,
    assert_same_spikes,
    compiled,
    layer_spikes,
    per_channel,
    synapse_matrix,
)

LATENT = 6
SEEDS = st.integers(0, 10**6)
Array = np.ndarray[Any, Any]


def layer(rng: Rng, synapse: Synapse, channels: int, image: Image | None = None) -> SpikingLayer:
    """A layer of FSVAE that has not been trained, with statistics as if it had."""
    norm = TDBatchNorm1d(channels) if isinstance(synapse, QuantLinear) else TDBatchNorm2d(channels)
    with torch.no_grad():
        synapse.weight.normal_(0.1, 0.6, generator=rng)
        if synapse.bias is not None:
            synapse.bias.normal_(0, 0.1, generator=rng)
        assert norm.running_mean is not None and norm.running_var is not None
        norm.running_mean.normal_(0, 0.3, generator=rng)
        norm.running_var.exponential_(1.0, generator=rng).add_(0.05)
        norm.bias.normal_(0.02, 0.05, generator=rng)
    return SpikingLayer(synapse, LIF(), norm, image=image)


def spread(rng: Rng, c_in: int, c_out: int) -> QuantConvTranspose2d:
    """As FSVAE's, which doubles the map, or one that keeps it."""
    stride = pick(rng, 1, 2, 2)
    return QuantConvTranspose2d(c_in, c_out, 3, stride=stride, padding=1, output_padding=stride - 1)


def last(rng: Rng, c_in: int) -> QuantConvTranspose2d | QuantConv2d:
    """FSVAE's stride of 1 most of the time."""
    channels, bias = pick(rng, 1, 3), chance(rng, 0.8)
    found: QuantConvTranspose2d | QuantConv2d
    if chance(rng, 0.6):
        found = QuantConvTranspose2d(c_in, channels, 3, padding=1, bias=bias)
    elif chance(rng, 0.6):
        found = QuantConvTranspose2d(c_in, channels, 3, stride=2, padding=1, output_padding=1, bias=bias)
    else:
        found = QuantConv2d(c_in, channels, 3, padding=1, bias=bias)
    with torch.no_grad():
        found.weight.normal_(pick(rng, 0, 1) * 0.2, 0.3, generator=rng)
        if found.bias is not None:
            found.bias.normal_(0, pick(rng, 1, 10, 1000) / 10, generator=rng)
    return found


def random_decoder(seed: int) -> tuple[nn.Sequential, Tensor]:
    """Linear, Unflatten, two transposed convolutions, Integrator; and spikes `(T, 2, LATENT)`."""
    rng = Rng().manual_seed(seed)
    size, widths = pick(rng, 1, 2, 3), (pick(rng, 3, 5), pick(rng, 3, 4), pick(rng, 2, 4))
    modules: list[nn.Module] = [
        layer(rng, QuantLinear(LATENT, widths[0] * size * size), widths[0] * size * size),
        nn.Unflatten(2, (widths[0], size, size)),
        layer(rng, spread(rng, *widths[:2]), widths[1]),
        layer(rng, spread(rng, *widths[1:]), widths[2]),
    ]
    if chance(rng, 0.15):
        with torch.no_grad():
            full = nn.Sequential(*modules).eval()(torch.zeros(1, 1, LATENT)).numel()
        modules += [nn.Flatten(2), Integrator(QuantLinear(full, 5))]
    else:
        modules.append(Integrator(last(rng, widths[2])))
    x = (torch.rand(pick(rng, *range(4, 17)), 2, LATENT, generator=rng) < 0.6).long()
    return nn.Sequential(*modules).eval(), x


def decoded(program: Program, x: Tensor) -> Array:
    """v in the float model's unit, `(T, B, *out)`."""
    output = program.outputs[0]
    assert output.reads == "v"
    return simulate(program, x.numpy(), profile="strict").outputs[output.name] * program.group(output.source).v_unit


# ---------------------------------------------------------------- decoder


@given(SEEDS)
@settings(max_examples=40)
def test_v_of_the_simulator_is_that_of_eval_mode_after_each_step(seed: int) -> None:
    net, x = random_decoder(seed)
    program = compile_graph(to_nir(net, x), steps=len(x))
    found = decoded(program, x)
    for t in range(1, len(x) + 1):
        assert np.array_equal(found[t - 1], net(x[:t]).numpy())
    assert not check(program)
    assert prove(program)[-1].proven


@pytest.mark.parametrize("seed", range(12))
def test_the_compiler_takes_the_very_integers(seed: int, tmp_path: Path) -> None:
    """Through files; also the spikes of every layer, and weights and bias of the last."""
    net, x = random_decoder(seed)
    program = compiled(net, x, tmp_path)
    assert_same_spikes(net, x, program)
    end, group = net[-1], program.lifs[-1]
    assert isinstance(end, Integrator)
    ints = end.integers()
    assert (group.du, group.dv, group.vth) == (4095, ints.dv, fixed.VTH_MAX) == (4095, 819, 131071)
    assert group.v_unit == ints.unit / 64
    assert np.array_equal(per_channel(group.bias_mant.astype(int) << group.bias_exp), ints.bias.numpy())
    (c,) = (c for c in program.connections if c.target == group.name)
    shape = (end.synapse.in_features,) if isinstance(end.synapse, QuantLinear) else program.lifs[-2].shape
    eye = torch.eye(int(np.prod(shape)), dtype=torch.float64).reshape(-1, *shape)
    want = end.synapse.apply_weight(eye, ints.weight.double(), None).flatten(1).T.numpy()
    assert np.array_equal(synapse_matrix(c, shape, len(want)), want)


def test_the_random_decoders_are_worth_comparing() -> None:
    rates, kinds, sizes, coarse = [], set(), [], 0
    for seed in range(40):
        net, x = random_decoder(seed)
        rates += [s.mean() for s in layer_spikes(net, x)]
        program = compile_graph(to_nir(net, x))
        kinds |= {type(c) for c in program.connections if c.target == "membrane"}
        sizes.append(float(np.abs(decoded(program, x)).max()) / (program.lifs[-1].v_unit * (fixed.VTH_MAX << 6)))
        ints = net[-1].integers()
        coarse += int(ints.weight.abs().amax() < 128)
    assert sum(0.02 < rate < 0.98 for rate in rates) > len(rates) / 2
    assert kinds == {Conv, Dense, Sparse}
    assert max(sizes) > 0.25 and min(sizes) > 0
    assert coarse >= 3  # of the bias: weights that do not fill their 8 bits


@pytest.mark.parametrize(("steps", "interval"), [(8, 8), (6, 8)])
def test_samples_that_follow_each_other_do_not_meet(steps: int, interval: int) -> None:
    """State is cleared every 2^k steps, layer by layer as a sample's data arrive."""
    net, _ = random_decoder(3)
    x = (torch.rand(3, steps, 2, LATENT) < 0.6).long()
    program = compile_graph(to_nir(net, x[0]), steps=steps)
    assert {g.reset_interval for g in program.lifs} == {interval}
    assert [g.reset_offset for g in program.lifs] == [2, 3, 4, 5] and program.latency == 4
    apart = torch.cat([x, torch.ones(3, interval - steps, 2, LATENT, dtype=torch.long)], 1)  # whatever comes between
    found = decoded(program, apart.flatten(0, 1))
    for k, sample in enumerate(x):
        assert np.array_equal(found[k * interval + steps - 1], net(sample).numpy())


def test_data_do_not_change_the_integers_and_the_gap_is_in_the_graphs_unit() -> None:
    net, x = random_decoder(5)
    data = Calibration({"input": x.numpy()}, None)
    graph = to_nir(net, x)
    found = compiled_stages(graph, data=data)
    assert np.array_equal(decoded(found.program, x)[-1], net(x).numpy())
    stages = measure(found, data, 0).stages
    assert stages["integer"].difference(True) < 1e-3
    assert stages["integer"].values > 0


def test_the_files_float_form_is_the_layers_own() -> None:
    """Stepped in float64 by Euler's rule, spikes as torch's; v is in the file's unit, 64 units of the model's a 1."""
    net, x = random_decoder(7)
    graph = from_nir(to_nir(net, x))
    v = interpret(graph, x.numpy().astype(float))["output"]
    unit = net[-1].integers().unit
    assert graph.notes["v_scale"] == unit * 64
    want = net(x).numpy()
    assert np.abs(v[-1] * (unit * 64) - want).max() < 5.1 * unit / 64 + 1e-5 * np.abs(want).max()


def test_an_integrator_ends_the_network() -> None:
    net, x = random_decoder(0)
    with pytest.raises(ExportError) as caught:
        to_nir(nn.Sequential(*net, Integrator(QuantLinear(5, 2))), x)
    assert str(caught.value) == "5 (Integrator): stands after Vote, Readout or Integrator; these end the network"


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_a_unit_that_is_no_number_is_refused(value: float) -> None:
    net, x = random_decoder(0)
    with pytest.raises(DeployError, match=r"options: v_scale \(.*\) is not in \(1e-18, 1e\+18\)"):
        compile_graph(to_nir(net, x), v_scale=value)


def test_a_decoder_equals_lavas_models() -> None:
    env = lava_or_skip()
    jobs = []
    for seed in (1, 4, 6):
        net, x = random_decoder(seed)
        jobs.append((net, x, compile_graph(to_nir(net, x), steps=len(x))))
    runs = run_lava_jobs([(program, {"input": x.numpy()}) for _, x, program in jobs], mode="models", env=env)
    for (net, x, program), run in zip(jobs, runs, strict=True):
        result = simulate(program, x.numpy(), record=[g.name for g in program.groups])
        comparison = compare(result.traces, run.traces)
        assert comparison.equal, f"{comparison.first} (simulator, Lava)"
        v = run.traces["membrane"].v[program.latency :][len(x) - 1].reshape(net(x).shape)
        assert np.array_equal(v * program.group("membrane").v_unit, net(x).numpy())


# ---------------------------------------------------------------- encoder


def random_encoder(seed: int, still: bool) -> tuple[nn.Sequential, Tensor]:
    """FSVAE's encoder: pixels 2 p - 255, two convolutions of stride 2, a linear layer whose spikes are the latent."""
    rng = Rng().manual_seed(seed)
    steps, c_in, c = pick(rng, 4, 7, 16), pick(rng, 1, 3), (pick(rng, 2, 4), pick(rng, 3, 5))
    size = pick(rng, 4, 7, 8)
    small = (size + 3) // 4
    net = nn.Sequential(
        layer(rng, QuantConv2d(c_in, c[0], 3, stride=2, padding=1), c[0], Image(steps, -255, 255, 1 / 255)),
        layer(rng, QuantConv2d(*c, 3, stride=2, padding=1), c[1]),
        nn.Flatten(2),
        layer(rng, QuantLinear(c[1] * small * small, LATENT), LATENT),
    ).eval()
    shape = (2, c_in, size, size) if still else (steps, 2, c_in, size, size)
    return net, 2 * torch.randint(0, 256, shape, generator=rng) - 255


@pytest.mark.parametrize("still", [True, False])
@pytest.mark.parametrize("seed", range(12))
def test_the_encoders_spikes_are_those_of_eval_mode(seed: int, still: bool, tmp_path: Path) -> None:
    net, x = random_encoder(seed, still)
    program = compiled(net, x, tmp_path)
    assert_same_spikes(net, x, program)
    assert_same_integers(net, program)
    assert not check(program)
    (output,) = program.outputs
    assert (output.reads, output.classes) == ("s", 0)
    (entry,) = program.inputs
    assert (entry.kind, entry.low, entry.high) == ("bias", -255, 255)


def test_the_random_encoders_are_worth_comparing() -> None:
    rates = [s.mean() for seed in range(12) for s in layer_spikes(*random_encoder(seed, True))]
    assert sum(0.02 < rate < 0.98 for rate in rates) > len(rates) / 2


def test_a_pixel_of_the_first_layer_is_between_minus_1_and_1() -> None:
    """The float form on 2 p - 255 is that on 2 p / 255 - 1."""
    net, x = random_encoder(0, True)
    first = net[0]
    first.quantize = False
    current = F.conv2d(x / 255, first.synapse.weight, first.synapse.bias, stride=2, padding=1)
    v = spikes = torch.zeros(())
    for found in first(x):
        v = 0.25 * v * (1 - spikes) + first.main.norm(current)
        spikes = (v > 0.2).float()
        assert torch.equal(found, spikes)


def test_the_whole_autoencoder_on_the_chip_is_torchs() -> None:
    """Encoder, host, decoder: the latent's spikes go into the decoder as they are."""
    encoder, x = random_encoder(2, True)
    decoder, _ = random_decoder(11)
    chips = [compile_graph(to_nir(encoder, x)), compile_graph(to_nir(decoder, torch.zeros(4, 2, LATENT)))]
    steps = encoder[0].image.steps
    latent = simulate(chips[0], np.broadcast_to(x.numpy(), (steps, *x.shape))).spikes
    found = decoded(chips[1], torch.from_numpy(latent))[-1]
    assert latent.any()
    assert np.array_equal(np.tanh(found), np.tanh(decoder(encoder(x)).numpy()))
