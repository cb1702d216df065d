"""Training benchmark: the nets are the published ones in every framework, and the table says what was measured."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from spikeport.bench import train as bench
from spikeport.bench.train import LIMIT, OURS, PEERS, Sizes, bench_train
from spikeport.bench.trainers import limit_worker, spikeport_worker
from spikeport.bench.trainers.layers import Kit, Model
from spikeport.bench.trainers.nets import NETS, dalif_resnet20, parameters, small
from spikeport.bench.trainers.session import memory, train
from spikeport.commands.bench.train import bench_train as command
from spikeport.errors import InputError, WorkerError


def test_the_nets_have_as_many_parameters_as_published() -> None:
    alif, dalif, ten = NETS["alif_fashion"], NETS["dalif_resnet20"], dalif_resnet20(classes=10)

    by_hand = 9 * 128 + 256 + 9 * 128**2 + 256 + 128 * 7 * 7 * 2048 + 2048 * 100
    assert parameters(alif.head) + parameters(alif.body) == by_hand == 13_198_976
    assert round((parameters(dalif.head) + parameters(dalif.body)) / 1e6, 3) == 11.294  # MPBN's own net, counted
    assert round((parameters(ten.head) + parameters(ten.body)) / 1e6, 3) == 11.248


@pytest.mark.parametrize("name", NETS)
def test_torch_builds_what_is_described(name: str) -> None:
    net = NETS[name]
    with torch.device("meta"):
        model = Model(net, Kit())
        out = model(torch.zeros(2, *net.shape))

    assert sum(p.numel() for p in model.parameters()) == parameters(net.head) + parameters(net.body)
    assert out.shape == (2, net.classes)


@pytest.mark.parametrize("name", spikeport_worker.MODELS)
def test_ours_is_the_described_net(name: str) -> None:
    net = NETS[name]
    with torch.device("meta"):
        model = spikeport_worker.build(net, ["quantized"])

    weights = [p.numel() for p in model.parameters() if p.numel() > 1]
    assert sum(weights) == parameters(net.head) + parameters(net.body)
    assert len(weights) == len(list(Model(net, Kit()).parameters()))


def test_a_net_that_we_do_not_have_is_refused() -> None:
    with pytest.raises(InputError, match="net .small. is not one of"):
        spikeport_worker.build(NETS["small"], [])


def test_the_limit_is_the_net_without_neurons() -> None:
    torch.manual_seed(0)
    model = limit_worker.build(small(), []).eval()
    image = torch.randint(0, 256, (2, 1, 8, 8)).float()

    weights = iter([p for p in model.parameters() if p.dim() > 1])

    def conv(x: Tensor, stride: int = 1) -> Tensor:
        weight = next(weights)
        y = F.conv2d(x, weight, stride=stride, padding=weight.shape[-1] // 2)
        return y / (1 + 1e-5) ** 0.5  # a batch norm that has seen nothing

    x = F.max_pool2d(conv(image / 255), 2)
    main = conv(conv(x, 2))
    y = F.linear((main + conv(F.avg_pool2d(x, 2))).flatten(1), next(weights))
    assert torch.allclose(model(image), y.reshape(2, 10, 2).mean(-1), atol=1e-5)


def test_time_outside_or_inside_the_layers_is_the_same_net() -> None:
    class Leak(nn.Module):
        """v = v / 2 + x over the first axis, from one call to the next."""

        v: Tensor | float = 0.0

        def forward(self, current: Tensor) -> Tensor:
            seen = []
            for x in current:
                self.v = self.v / 2 + x
                seen.append(self.v)
            return torch.stack(seen)

    class Leaking(Kit):
        def neuron(self) -> nn.Module:
            return Leak()

        def begin(self, model: nn.Module) -> None:
            for module in model.modules():
                if isinstance(module, Leak):
                    module.v = 0.0

    torch.manual_seed(0)
    model = Model(small(), Leaking()).eval()
    image = torch.randint(0, 256, (2, 1, 8, 8)).float()
    inside = model(image)
    model.kit.stepped = True

    assert torch.allclose(model(image), inside, atol=1e-6)
    assert torch.allclose(model(image), inside, atol=1e-6)  # nothing is left from the batch before


def test_a_worker_trains_as_often_as_it_is_told() -> None:
    found = train(limit_worker.build, small(), ["channels_last"], 2, 3, torch.device("cpu"))

    assert len(found["seconds"]) == 3
    assert found["parameters"] == parameters(small().head) + parameters(small().body)
    assert found["loss"] > 0


def test_memory_is_the_most_since_the_reset() -> None:
    before = memory(torch.device("cpu"), reset=True)
    torch.ones(1 << 25).sum()  # 128 MiB, gone again
    grown = memory(torch.device("cpu")) - before

    assert 0.9 < grown / (1 << 27) < 1.5
    assert memory(torch.device("cpu"), reset=True) - before < 1 << 26


SECONDS = {LIMIT: 1.0, "limit compiled": 0.9, OURS: 2.0, "spikeport quantized": 3.0, "snntorch": 4.0, "norse": 8.0}


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str]]]:
    """What was run; nothing runs. Channels last takes half the time, Norse steps do not work."""
    seen: list[tuple[str, str]] = []

    def run(name: str, net: str, variant: str, timeout_s: float, **options: Any) -> dict[str, Any]:
        seen.append((name, variant))
        if name == "norse" or "steps" in variant:
            raise WorkerError(name, "failed")
        seconds = SECONDS[name] / (2 if "channels_last" in variant else 1)
        about = {"version": "1.0", "torch": "2", "note": "", "parameters": 1}
        times = [seconds, 2 * seconds, 3 * seconds]
        return {"seconds": times, "cpu_seconds": [seconds], "peak_bytes": int(seconds * 2**20), **about}

    monkeypatch.setattr(bench, "run", run)
    yield seen


def test_each_contender_goes_on_with_its_fastest_variant_in_turn(calls: list[tuple[str, str]]) -> None:
    data = bench_train(parts=["small"], peers=["snntorch", "norse"], threads=[1], sizes=Sizes(rounds=2))

    rounds = [name for name, _ in calls[-10:]]
    assert rounds == 2 * [LIMIT, "limit compiled", OURS, "spikeport quantized", "snntorch"]
    rows = {row["name"]: row for row in data["train"]}
    assert rows["snntorch"]["variant"] == "channels_last"
    assert rows["snntorch"]["of_limit"] == {"min": 4.0, "median": 4.0, "cpu": 4.0, "memory": 4.0}
    assert rows["snntorch"]["of_ours"] == {"min": 2.0, "median": 2.0, "cpu": 2.0, "memory": 2.0}
    assert rows["snntorch"]["repeats"] == 6
    assert "failed" in rows["norse"]["error"]


def test_what_torch_compiles_can_be_left_out(calls: list[tuple[str, str]]) -> None:
    data = bench_train(parts=["small"], peers=["snntorch"], threads=[1], sizes=Sizes(rounds=1, compiled=False))
    assert [row["name"] for row in data["train"]] == [LIMIT, OURS, "spikeport quantized", "snntorch"]
    assert not [variant for _, variant in calls if "compiled" in variant]


@pytest.mark.usefixtures("calls")
def test_the_command_writes_json_and_a_table(tmp_path: Path) -> None:
    answer = command(["small"], ["snntorch", "norse"], [1], "cpu", Sizes(rounds=1), tmp_path / "out")

    assert json.loads((tmp_path / "out" / "train.json").read_text())["train"] == answer.data["train"]
    lines = (tmp_path / "out" / "train.md").read_text().splitlines()
    assert lines[6].startswith("| small | snntorch 1.0 | 1 | 2 | channels_last | 2 s | 4.00 x, 4.00 x, 4.00 x | 2.00 x")
    assert "failed" in lines[7]
    assert any("snntorch steps: snntorch: failed" in note for note in answer.notes)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"peers": ["bindsnet"]}, r"peer \(bindsnet\) is not one of snntorch"),
        ({"parts": ["vgg"]}, r"part \(vgg\) is not one of alif_fashion"),
        ({"sizes": Sizes(rounds=0)}, r"rounds \(0\) is below 1"),
        ({"threads": [0]}, r"threads \(0\) is below 1"),
    ],
)
def test_what_makes_no_sense_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        bench_train(**options)


@pytest.mark.slow
def test_our_own_worker_answers_as_a_process() -> None:
    answer = bench.run(LIMIT, "small", "", 120.0, repeats=2, threads=1, batch=2, device="cpu")

    assert len(answer["seconds"]) == 2
    with pytest.raises(WorkerError, match="is not one of"):
        bench.run(OURS, "small", "", 120.0, repeats=1, threads=1, batch=2, device="cpu")


@pytest.mark.slow
@pytest.mark.parametrize("name", PEERS)
def test_every_framework_builds_the_described_net_on_our_torch(name: str) -> None:
    try:
        bench.python_of(name)
    except WorkerError as error:
        pytest.skip(str(error))  # no network

    for variant in ("", "steps"):
        answer = bench.run(name, "small", variant, 300.0, repeats=1, threads=1, batch=2, device="cpu")
        net = NETS["small"]
        assert answer["parameters"] == parameters(net.head) + parameters(net.body)
        assert answer["torch"] == torch.__version__
