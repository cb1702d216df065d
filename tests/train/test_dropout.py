"""`SpikeDropout`: one mask for all steps of a sample, and the mean that it keeps."""

import pytest
import torch

from spikeport.errors import InputError
from spikeport.train import SpikeDropout

ONES = torch.ones(9, 40, 50)


@pytest.mark.parametrize("p", [0.2, 0.5, 0.9])
def test_a_neuron_is_silent_for_a_whole_sample_or_not_at_all(p: float) -> None:
    torch.manual_seed(0)
    found = SpikeDropout(p).train()(ONES)
    assert torch.equal(found, found[:1].expand(found.shape))
    assert found.unique().tolist() == pytest.approx([0, 1 / (1 - p)])


def test_samples_and_neurons_have_masks_of_their_own() -> None:
    torch.manual_seed(0)
    silent = SpikeDropout(0.5).train()(ONES)[0] == 0
    assert 0 < silent.float().mean(0).std() and 0 < silent.float().mean(1).std()
    assert not any(torch.equal(silent[0], row) for row in silent[1:])


@pytest.mark.parametrize("p", [0.2, 0.5, 0.9])
def test_the_mean_is_kept(p: float) -> None:
    """2,000 masks: their mean has a deviation of sqrt(p / (1 - p) / 2000), below 7 %; five of them."""
    torch.manual_seed(0)
    mean = float(SpikeDropout(p).train()(ONES).mean())
    assert abs(mean - 1) < 5 * (p / (1 - p) / 2000) ** 0.5


def test_gradients_go_where_spikes_went() -> None:
    x = ONES.clone().requires_grad_()
    found = SpikeDropout(0.5).train()(x)
    found.sum().backward()
    assert x.grad is not None and torch.equal(x.grad, found.detach())


def test_eval_mode_changes_nothing() -> None:
    assert SpikeDropout(0.5).eval()(ONES) is ONES
    assert SpikeDropout(0.0).train()(ONES) is ONES


@pytest.mark.parametrize("p", [-0.1, 1.0, float("nan")])
def test_a_probability_that_leaves_nothing_is_refused(p: float) -> None:
    with pytest.raises(InputError) as caught:
        SpikeDropout(p)
    assert str(caught.value) == f"SpikeDropout: p ({p}) is not in [0, 1)"
