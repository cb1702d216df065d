"""The parts of `spikeport conformance` that run now, in their quick form."""

import dataclasses
import json
from typing import Any

import pytest

from spikeport.commands.answer import Answer
from spikeport.commands.conformance import conformance as command
from spikeport.commands.conformance import live
from spikeport.commands.conformance.row import Row, Setup
from spikeport.errors import FileError, InputError, LavaMissing
from spikeport.sim.simulate import simulate
from tests.lava import lava_or_skip


def run(*only: str) -> Answer:
    return command.conformance(Setup(quick=True, only=only))


def no_lava(**_: Any) -> Any:
    raise LavaMissing("lava", "no interpreter that can run it", do="install one")


def test_lava_and_the_engines_agree_with_the_simulator_in_every_value() -> None:
    lava_or_skip()

    answer = run("lava", "runtime", "engines")

    json.dumps(answer.data)
    assert answer.exit_code == 0 and answer.data["differing"] == 0 and answer.data["not_compared"] == 0
    rows = {(row["what"], row["against"]): row["values"] for row in answer.data["rows"]}
    kinds = {"LIF", "LIFReset", "TernaryLIF", "Delta", "Sigma", "SigmaDelta", "RF", "RF_IZ"}
    assert {what.removeprefix("random Programs: ") for what, by in rows if by.endswith("models")} == kinds
    assert any(by.endswith("runtime") for _, by in rows)
    assert all(values > 0 for values in rows.values()) and answer.data["values"] > 1_000_000


def test_engines_are_compared_without_lava(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "find_lava", no_lava)

    answer = run("lava", "runtime", "engines")

    assert answer.exit_code == 0
    assert [row[2:4] for row in answer.rows[:2]] == [("not compared", "–")] * 2
    assert answer.data["not_compared"] == 2
    assert all(row["differing"] is None and "no interpreter" in row["missing"] for row in answer.data["rows"][:2])
    assert answer.notes[1] == (
        "NOT COMPARED: random Programs with Lava's models: lava: no interpreter that can run it; install one"
    )
    assert [row[0].split()[-1] for row in answer.rows[2:]] == ["events", "dense"]


def test_recordings_that_cannot_be_fetched_are_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    def fetched() -> Any:
        raise FileError("lava-dl", "cannot be fetched")

    monkeypatch.setattr(live, "fetched_wheel", fetched)
    answer = run("published")
    assert answer.exit_code == 0 and answer.data["not_compared"] == 1 and answer.data["values"] == 0


def test_one_value_of_an_engine_that_differs_exits_1(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = []

    def wrong(*arguments: Any, engine: str, **more: Any) -> Any:
        result = simulate(*arguments, engine=engine, **more)  # type: ignore[arg-type]
        if engine == "events" and not changed:
            name, trace = next(iter(result.traces.items()))
            changed.append(name)
            s = trace.s.copy()
            s[3, 0].flat[0] += 1
            return dataclasses.replace(result, traces={**result.traces, name: dataclasses.replace(trace, s=s)})
        return result

    monkeypatch.setattr(live, "simulate", wrong)
    monkeypatch.setattr(live, "QUICK_ENGINE", 4)
    answer = run("engines")
    assert answer.exit_code == 1 and answer.data["differing"] == 1
    assert f"seed 0: step 4, {changed[0]}, sample 0, neuron 0: s is" in answer.notes[1]


def test_one_value_of_lava_that_differs_exits_1(monkeypatch: pytest.MonkeyPatch) -> None:
    found = live.Conformance(
        2, 30, 1, "seed 4: step 1", {"LIF": 20, "RF": 10}, {"Dense": 3}, {"lava-nc": "0.10.0"}, {"LIF": 0, "RF": 1}
    )
    monkeypatch.setattr(live, "_lava", lambda: None)
    monkeypatch.setattr(live, "compare_random_programs", lambda *_, **__: found)
    answer = run("lava")
    assert answer.exit_code == 1
    assert [row[2:4] for row in answer.rows] == [("20", "0"), ("10", "1")]
    assert answer.notes[1].endswith("2 random Programs; connections: Dense 3; seed 4: step 1")


def test_more_programs_run_until_enough_values_were_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []

    def few(count: int, seed: int, *_: Any, **__: Any) -> live.Conformance:
        asked.append((count, seed))
        return live.Conformance(
            count, 30_000 * count, 0, "", {"LIF": 30_000 * count}, {}, {"lava-nc": "0.10.0"}, {"LIF": 0}
        )

    monkeypatch.setattr(live, "_lava", lambda: None)
    monkeypatch.setattr(live, "compare_random_programs", few)
    rows = list(live.lava_models(Setup()))
    assert asked == [(200, 0), *((20, 200 + 20 * n) for n in range(7))]
    assert sum(row.values for row in rows) >= 10_000_000


def test_a_part_that_is_unknown_is_refused() -> None:
    with pytest.raises(InputError, match=r"part \(lavas\) is not one of published, lava, runtime, engines"):
        run("lavas")
    assert Row("a", "b", 1, 0).missing == ""
