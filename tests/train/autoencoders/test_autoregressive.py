"""Prior and posterior: with membranes kept, T evaluations give what T (T + 1) / 2 give."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from spikeport.train import set_quantize
from spikeport.train.autoencoders import Noise, build_autoencoder, pixels
from spikeport.train.autoencoders.autoregressive import pick
from tests.train.autoencoders.lively import enliven

STEPS, BATCH, LATENT, K = 9, 3, 11, 4


def made(dtype: torch.dtype, quantize: bool) -> tuple[Any, Tensor, Noise]:
    """A model in eval mode whose norms have seen something, spikes of an encoder, and noise."""
    torch.manual_seed(1)
    options: dict[str, Any] = {"widths": (3,), "latent": LATENT, "steps": STEPS, "candidates": K}
    model: Any = build_autoencoder("fsvae", pixels((1, 8, 8)), **options).to(dtype)
    enliven(model)
    noise = Noise.draw(model, BATCH, 5)
    spikes = (torch.rand(STEPS, BATCH, LATENT) < 0.4).to(dtype)
    for _ in range(20):
        model.embed(spikes, noise)
        model.dream(noise)
    set_quantize(model, quantize)
    return model.eval(), spikes, noise


forms = pytest.mark.parametrize(
    ("dtype", "quantize"), [(torch.float64, False), (torch.float32, True), (torch.float64, True)], ids=str
)


@forms
def test_the_posterior_by_steps_is_the_posterior_by_prefixes(dtype: torch.dtype, quantize: bool) -> None:
    model, spikes, noise = made(dtype, quantize)
    z, q = model.posterior.sample(spikes, noise.picks)
    want_z, want_q = model.posterior.by_prefixes(spikes, noise.picks)
    assert torch.equal(z, want_z) and torch.equal(q, want_q)
    assert z.dtype == dtype and 0.1 < z.mean() < 0.9
    assert torch.equal(z, pick(q, noise.picks))


@forms
def test_the_prior_by_steps_is_the_prior_by_prefixes(dtype: torch.dtype, quantize: bool) -> None:
    model, _, noise = made(dtype, quantize)
    z = model.dream(noise)
    with torch.no_grad():
        assert torch.equal(z, model.prior.by_prefixes(noise.picks))
    assert 0.1 < z.mean() < 0.9
    assert torch.equal(z, pick(model.prior.given(z, noise, 0.0), noise.picks))  # one pass over z gives z again


def rows_of(synapse: Any, run: Callable[[], object]) -> int:
    """How many vectors the synapse was given."""
    rows, apply = [0], synapse.apply_weight

    def counted(x: Tensor, *rest: Any) -> Tensor:
        rows[0] += len(x)
        return apply(x, *rest)

    synapse.apply_weight = counted
    run()
    del synapse.apply_weight
    return rows[0]


@pytest.mark.parametrize("quantize", [True, False])
def test_steps_are_evaluated_once(quantize: bool) -> None:
    model, spikes, noise = made(torch.float32, quantize)
    posterior, prior = model.posterior, model.prior
    last = [net.blocks[2].synapse for net in (posterior, prior)]
    assert rows_of(last[0], lambda: posterior.sample(spikes, noise.picks)) == STEPS * BATCH
    assert rows_of(last[1], lambda: model.generate(BATCH, noise)) == STEPS * BATCH
    prefixes = STEPS * (STEPS + 1) // 2 * BATCH
    assert rows_of(last[1], lambda: prior.by_prefixes(noise.picks)) == prefixes
    assert rows_of(last[0], lambda: posterior.by_prefixes(spikes, noise.picks)) == prefixes  # T - 1, and once all


def test_in_training_mode_statistics_are_those_of_the_prefix() -> None:
    """Membranes that are kept would need the statistics of steps to come; each run of a prefix moves the averages."""
    model, spikes, noise = made(torch.float64, False)
    norm = model.posterior.train().blocks[0].main.norm
    before = int(norm.num_batches_tracked)
    model.posterior.sample(spikes, noise.picks)
    assert int(norm.num_batches_tracked) - before == STEPS
    assert not torch.equal(
        model.posterior.by_prefixes(spikes, noise.picks)[1], model.posterior.by_steps(spikes, noise.picks)[1]
    )


def test_a_candidate_is_picked_of_its_own_neuron_and_gets_the_gradient() -> None:
    candidates = torch.tensor([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]], requires_grad=True)
    picks = torch.tensor([[2, 0]])
    assert pick(candidates, picks).tolist() == [[3.0, 4.0]]
    pick(candidates, picks).sum().backward()
    assert candidates.grad is not None and candidates.grad.tolist() == [[[0, 0, 1], [1, 0, 0]]]


def test_neurons_of_the_last_block_are_the_candidates_of_one_latent_spike_after_the_other() -> None:
    model, spikes, _ = made(torch.float32, True)
    flat = model.prior.blocks(spikes)
    assert torch.equal(model.prior(spikes)[:, :, 3, 1], flat[:, :, 3 * K + 1])


def test_scheduled_sampling_begins_at_step_5_and_only_in_training() -> None:
    model, spikes, noise = made(torch.float64, False)
    model.prior.train()
    norm = model.prior.blocks[0].main.norm

    def runs(probability: float) -> int:
        before = int(norm.num_batches_tracked)
        model.prior.given(spikes, noise, probability)
        return int(norm.num_batches_tracked) - before

    assert runs(0.0) == 1
    assert runs(1.0) == 1 + sum(5 <= t < STEPS - 1 for t in range(STEPS))
    model.prior.eval()
    assert torch.equal(model.prior.given(spikes, noise, 1.0), model.prior.given(spikes, noise, 0.0))


@pytest.mark.parametrize(("progress", "probability"), [(0.0, 0.1), (0.5, 0.2), (1.0, 0.3)])
def test_scheduled_sampling_grows_with_training(progress: float, probability: float) -> None:
    model: Any = build_autoencoder("fsvae", pixels((1, 8, 8)), widths=(3,), latent=4, steps=2)
    model.progress = progress
    assert model.probability == pytest.approx(probability)
