"""The benchmark runs and says the truth; how fast anything is decides no test."""

import json
from pathlib import Path

import numpy as np
import pytest

from spikeport.bench import engine
from spikeport.bench.cases import CASES, Case, delivered, mlp, mnist, pilotnet, sops, with_program
from spikeport.bench.compare import PEERS, chain, compare
from spikeport.bench.cost import exponent
from spikeport.bench.sim import QUICK, bench_sim
from spikeport.bench.timing import interleave
from spikeport.commands.bench.kept import markdown
from spikeport.commands.bench.sim import COLUMNS, table
from spikeport.commands.bench.sim import bench_sim as command
from spikeport.errors import InputError
from spikeport.program_file import save_program
from spikeport.sim.simulate import simulate


def tiny(name: str) -> Case:
    return CASES[name](steps=3, batch=2)


@pytest.mark.parametrize("name", CASES)
def test_a_case_is_the_same_each_time(name: str) -> None:
    one, other = tiny(name), tiny(name)

    assert np.array_equal(one.spikes, other.spikes)
    weights = [(c.weight, d.weight) for c, d in zip(one.program.connections, other.program.connections, strict=True)]
    assert all(np.array_equal(a, b) for a, b in weights)


def test_pilotnet_has_the_layers_of_the_published_net() -> None:
    shapes = [g.shape for g in pilotnet(steps=1, batch=1).program.groups]

    convolutions = [(3, 66, 200), (24, 32, 99), (36, 15, 49), (48, 7, 24), (64, 4, 22), (64, 2, 20)]
    assert shapes == [*convolutions, (100,), (50,), (10,)]


def test_sops_are_spikes_times_synapses() -> None:
    case = mlp(steps=5, batch=2, sizes=(7, 5, 3))
    sent = simulate(case.program, case.spikes).sent

    by_hand = int(sent["x"].sum()) * 5 + int(sent["lif1"].sum()) * 3
    assert delivered(case.program, sent) == sops(case, 2) == by_hand


@pytest.mark.parametrize("which", engine.engines())
@pytest.mark.parametrize("name", CASES)
def test_every_engine_gives_the_spikes_of_simulate(name: str, which: str) -> None:
    case = tiny(name)
    source = case.program.outputs[0].source

    spikes = engine.prepare(case.program, engine=which)(case.inputs(2))

    assert np.array_equal(spikes, simulate(case.program, case.spikes).sent[source])


@pytest.mark.parametrize("name", CASES)
def test_the_torch_competitor_computes_the_same_integers(name: str) -> None:
    pytest.importorskip("torch")
    from spikeport.bench.torch_dense import TorchDense

    case = CASES[name](steps=6, batch=2)

    assert np.array_equal(TorchDense(case.program)(case.inputs(2)), engine.prepare(case.program)(case.inputs(2)))


def test_the_torch_decay_is_exact_up_to_the_last_bit() -> None:
    torch = pytest.importorskip("torch")
    from spikeport.bench.torch_dense import _decay

    x = np.array([0, 1, -1, 5, -5, 4095, -4096, 2**23 - 1, -(2**23) + 1])
    for keep in (0, 1, 2047, 3584, 4095, 4096):
        by_hand = [int(np.sign(v)) * (abs(int(v)) * keep >> 12) for v in x]
        assert _decay(torch.tensor(x, dtype=torch.int32), keep).tolist() == by_hand


def test_only_chains_of_dense_layers_on_spikes_go_to_every_peer() -> None:
    assert chain(tiny("mlp").program)
    assert not chain(mnist(steps=1, batch=1).program)


def test_another_program_keeps_the_input_or_draws_one_that_fits() -> None:
    case = tiny("mlp")

    assert with_program(case, case.program, "mlp").spikes is case.spikes
    other = tiny("pilotnet").program
    assert simulate(other, with_program(case, other, "pilotnet").spikes).spikes.shape[:2] == (3, 2)


def test_runs_take_turns() -> None:
    order: list[str] = []

    timings = interleave({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, repeats=2, seconds=0.0)

    assert "".join(order) == "ababab"  # the first round warms up
    assert all(len(t.seconds) == 2 for t in timings.values())


def test_the_exponent_of_proportional_time_is_one() -> None:
    points = [{"sops": 10**k, "min_s": 1e-3 + 10 ** (k - 9)} for k in range(5, 10)]

    assert exponent(points, 1e-3) == pytest.approx(1.0)
    assert exponent(points[:2], 1e-3) is None


@pytest.mark.slow
def test_our_own_workers_answer_and_agree() -> None:
    pytest.importorskip("torch")
    said: list[str] = []

    rows = compare(tiny("mlp"), ["torch"], batch=1, rounds=1, repeats=1, seconds=0.0, tell=said.append)

    assert {row["name"] for row in rows} == {"spikeport", "torch"}
    assert all(row["differing"] == 0 and row["compared"] for row in rows), rows
    assert all("ratio" in row for row in rows if row["name"] == "torch")
    assert len(said) == len(rows)


def test_a_competitor_that_cannot_run_is_a_row_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spikeport.bench.compare.find_uv", lambda: None)

    rows = compare(tiny("mlp"), ["nengo_loihi"], batch=1, rounds=1, repeats=1, seconds=0.0, tell=lambda _: None)

    assert "needs uv" in rows[-1]["error"]
    assert "needs uv" in table({"compare": rows})[-1][-1]


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(InputError, match=r"peer \(brian\) is not one of lava"):
        bench_sim(peers=["brian"], sizes=QUICK)
    assert set(PEERS) >= {"lava", "nengo_loihi", "brian2_loihi", "xylosim", "thrindex", "torch"}


@pytest.mark.slow
def test_a_case_runs_on_a_net_and_an_input_of_ones_own(tmp_path: Path) -> None:
    case = mlp(steps=3, batch=2, sizes=(6, 4))
    save_program(case.program, tmp_path / "net.h5")
    np.savez(tmp_path / "x.npz", spikes=case.spikes)

    answer = command(["mlp"], ["none"], ["compare"], [f"mlp={tmp_path / 'net.h5'},{tmp_path / 'x.npz'}"], True, None)

    assert {row["sops"] for row in answer.data["compare"] if row["batch"] == 2} == {int(case.spikes.sum()) * 4}
    with pytest.raises(InputError, match="is not CASE=NET.H5"):
        command(["mlp"], ["none"], ["compare"], ["net.h5"], True, None)


@pytest.mark.slow
def test_the_command_writes_json_and_a_table(tmp_path: Path) -> None:
    case = mlp(steps=2, batch=1, sizes=(784, 20, 10))
    save_program(case.program, tmp_path / "net.h5")

    answer = command(["mlp"], ["none"], None, [f"mlp={tmp_path / 'net.h5'}"], True, tmp_path / "out")

    data = json.loads((tmp_path / "out" / "sim.json").read_text())
    assert data["compare"][0]["sops"] < 784 * 20 * 4  # the given Program, not the built-in one
    assert {"activity", "roofline", "cost", "startup", "machine"} <= set(data)
    assert data["scale"]["neurons"] == 4 * 11 * 15 * 15
    assert data["scale"]["synapses"] == 4 * 11 * 11 * (3 * 15 - 2) ** 2  # the border's kernels lose a row or a column
    assert (tmp_path / "out" / "sim.md").read_text().startswith(markdown(answer.rows, [], COLUMNS)[:40])
