"""Benchmark of the autoencoders: both networks compute the same, and the table says what was measured."""

import json
from pathlib import Path

import pytest
import torch

from spikeport.bench import autoencoders as bench
from spikeport.bench.autoencoders import (
    CONTENDERS,
    FLOAT,
    PEER,
    PEERS,
    SIZES,
    TINY,
    Size,
    batch_of,
    bench_autoencoders,
    ours,
    peer_loss,
    peer_of,
    step_of,
)
from spikeport.commands.bench.autoencoders import bench_autoencoders as command
from spikeport.errors import InputError
from tests.train.autoencoders.lively import enliven


@pytest.mark.parametrize("unbind", [False, True])
def test_time_last_is_the_same_network(unbind: bool) -> None:
    """In float64 the loss and its gradients to rounding, the spikes exactly."""
    torch.manual_seed(0)
    size = Size((4, 6, 8), 12, 6, 5)
    model = ours(size, quantize=False).double()
    enliven(model)
    batch, peer = batch_of(model, size.batch), peer_of(model, unbind=unbind)

    z, its = peer_loss(peer, batch)
    loss = model.loss(batch.images, batch.noise).total
    spikes = model(batch.images, batch.noise).latent.spikes

    assert torch.equal(spikes.permute(1, 2, 0), z)
    assert 0.05 < z.mean() < 0.95
    assert abs(loss - its) < 1e-12
    found, want = (torch.autograd.grad(x, list(net.parameters())) for x, net in ((loss, model), (its, peer)))
    for own, other in zip(found, want, strict=True):
        assert torch.allclose(own.reshape(other.shape), other, rtol=1e-8, atol=1e-11)
    assert sum(bool(grad.abs().amax() > 1e-8) for grad in want) > len(want) / 2


def test_a_step_learns() -> None:
    for name in CONTENDERS:
        step = step_of(name, Size((2, 3), 4, 2, 8))
        first = step()
        for _ in range(30):
            last = step()
        assert last < first, name


def test_the_sizes_have_the_papers_parameters() -> None:
    """Counted by hand: convolutions with bias and norm; two linear layers with bias and norm; the last synapse."""
    widths, latent = SIZES[0].widths, SIZES[0].latent
    encoder = sum(9 * a * b + 3 * b for a, b in zip((1, *widths), widths, strict=False))
    backward = (*reversed(widths), widths[0])
    decoder = sum(9 * a * b + 3 * b for a, b in zip(backward, backward[1:], strict=False))
    linear = 2 * 1024 * latent + 3 * latent + 3 * 1024
    rest = 9 * 32 + 1 + latent * latent + latent
    model = ours(SIZES[0], quantize=True)
    for net in (model, peer_of(model)):
        assert sum(p.numel() for p in net.parameters()) == encoder + decoder + linear + rest


def test_memory_is_that_of_a_step() -> None:
    """The last layer alone holds its input, spikes and their gradients, 32 x 32 floats each."""
    size = Size((64, 64), 4, 4, 16)
    assert 4 * 4 * 16 * 64 * 32 * 32 * 4 < bench.peak_alone(FLOAT, size) < 2**30


def test_all_of_it_runs_and_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "peak_alone", lambda name, size: 1 + CONTENDERS.index(name))
    threads = torch.get_num_threads()
    answer = command(True, 3, tmp_path)

    data = json.loads((tmp_path / "autoencoders.json").read_text())
    rows = data["autoencoders"]
    assert [row["name"] for row in rows] == list(CONTENDERS)
    peers = {name: rows[CONTENDERS.index(name)] for name in PEERS}
    for row in rows:
        assert row["min_s"] <= row["median_s"]
        assert row["images_per_s"] == pytest.approx(TINY[0].batch / row["min_s"])
    for row in rows[:2]:
        for name, peer in peers.items():
            assert row["takes"][name]["peak_bytes"] == peer["peak_bytes"] / row["peak_bytes"]
            assert row["takes"][name]["median_s"] == pytest.approx(peer["median_s"] / row["median_s"])
    table = (tmp_path / "autoencoders.md").read_text()
    assert f"| 2-3 | 4 | 2 | 2 | {PEER} |" in table
    assert len(answer.rows) == len(rows)
    assert torch.get_num_threads() == threads


def test_no_round_is_refused() -> None:
    with pytest.raises(InputError, match="bench: rounds .0. is below 1"):
        bench_autoencoders(TINY, 0)
