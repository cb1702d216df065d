"""`spikeport stream`: lines in and out are what `simulate` gives, and whatever ends it ends it cleanly."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spikeport import fixed
from spikeport.commands.running.stream import stream
from spikeport.errors import InputError, OverflowDetected
from spikeport.program import LIF, Dense, Encoder, Input, Output, Program
from spikeport.program_file import save_program
from spikeport.sim import Session, simulate

COMMAND = [sys.executable, "-c", "from spikeport.cli import main; main()", "stream"]


def relay(**changes: Any) -> Program:
    """`x -> a -> b`: each neuron spikes a step after the one before."""
    groups = tuple(LIF(n, (3,), 4095, 4096, 0, np.zeros(3, int)) for n in "ab")
    links = tuple(Dense(s, t, 8 * np.eye(3, dtype=int)) for s, t in ("xa", "ab"))
    parts = {"inputs": (Input("x", (3,), "spike"),), "outputs": (Output("y", "b"),), "latency": 2}
    return Program(**{"groups": groups, "connections": links, **parts, **changes})


def pictures() -> Program:
    """Two values of a picture are read back as v, with what spikes add in their step."""
    group = LIF("g", (2,), 4095, 4096, fixed.VTH_MAX, np.zeros(2, int))
    encoder = Encoder(Dense("image", "g", np.eye(2, dtype=int)), np.zeros(2, int))
    inputs = (Input("x", (2,), "graded", -9, 9), Input("image", (2,), "bias", 0, 100))
    links = (Dense("x", "g", 2 * np.eye(2, dtype=int), graded=True),)
    outputs = (Output("v", "g", reads="v"), Output("s", "g"))
    return Program((group,), links, inputs, outputs, (encoder,))


@pytest.fixture
def net(tmp_path: Path) -> Path:
    save_program(relay(), tmp_path / "net.h5")
    return tmp_path / "net.h5"


def ran(net: Path, lines: Iterable[str], **options: Any) -> list[str]:
    out: list[str] = []
    stream(net, lines, out.append, **options)
    return out


def test_what_went_in_comes_out_with_the_number_of_its_step(net: Path) -> None:
    assert ran(net, ["0 1", "", "3 2 1", "3 0", "300 1"]) == ["0 1 1", "3 0 1", "3 2 1", "300 1 1"]
    mixed = ['{"t": 0, "index": 1}', '{"t": 2, "index": 0, "value": 1, "input": "x"}', "4", '{"t": 5}']
    assert ran(net, mixed) == ["0 1 1", "2 0 1"]
    assert ran(net, []) == [] and ran(net, ["7"]) == []


def test_json_lines(net: Path) -> None:
    lines = [json.loads(line) for line in ran(net, ["0 1"], as_json=True)]
    assert lines == [{"t": 0, "index": 1, "value": 1, "output": "y"}]


def test_an_answer_does_not_wait_for_the_end(net: Path) -> None:
    out: list[str] = []

    def lines() -> Iterable[str]:
        yield "0 1"
        yield "2"
        assert out == []
        yield "3"  # step 2 has ended, and with it the latency
        assert out == ["0 1 1"]

    stream(net, lines(), out.append)


def test_random_events_are_the_run_in_one(net: Path, rng: np.random.Generator) -> None:
    x = (rng.random((40, 1, 3)) < 0.2).astype(np.uint8)
    lines = [f"{t} {index}" for t, _, index in np.argwhere(x)]
    want = [f"{t} {index} 1" for t, _, index in np.argwhere(simulate(relay(), x).spikes)]
    assert ran(net, lines) == want and len(want) > 10


def test_several_inputs_and_outputs_are_named_and_a_bias_stays(tmp_path: Path) -> None:
    save_program(pictures(), tmp_path / "net.h5")
    lines = ["0 0 5 image", "2 1 7 image", "3 0 -2 x", '{"t": 4, "index": 1}']
    found = ran(tmp_path / "net.h5", lines)
    both = ["0 0 5 v", "1 0 5 v", "2 0 5 v", "2 1 7 v", "3 0 5 v", "3 1 7 v"]
    assert found == [*both, f"4 0 {5 - (4 << 6)} v", "4 1 7 v"]


def test_a_part_goes_on_where_the_one_before_ended(net: Path, tmp_path: Path) -> None:
    state = tmp_path / "s.npz"
    first = ran(net, ["0 1", "1 0"], state_out=state)
    assert first == [] and Session.load(state, relay()).t == 2
    assert ran(net, ["2 2"], state_in=state) == ["0 1 1", "1 0 1", "2 2 1"]
    assert ran(net, ["2 2"], state_in=state, state_out=state) == ["0 1 1"]
    with pytest.raises(InputError, match=r"line 1: t \(2\) is before step 3, which has begun"):
        ran(net, ["2 2"], state_in=state)
    Session(relay(), 2).save(state)
    with pytest.raises(InputError, match=r"s.npz: batch \(2\) is not 1"):
        ran(net, [], state_in=state)


FORM = "is not T INDEX"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("x", f"line 2: text ('x') {FORM}"),
        ("1 2 3 x y", f"line 2: text ('1 2 3 x y') {FORM}"),
        ("1.5 2", f"line 2: text ('1.5 2') {FORM}"),
        ("{", f"line 2: text ('{{') {FORM}"),
        ("{}", f"line 2: text ('{{}}') {FORM}"),
        ('{"index": 1}', f"line 2: text ('{{\"index\": 1}}') {FORM}"),
        ('{"t": 1, "index": 1, "n": 1}', f'line 2: text (\'{{"t": 1, "index": 1, "n": 1}}\') {FORM}'),
        ('{"t": 1, "value": 1}', f'line 2: text (\'{{"t": 1, "value": 1}}\') {FORM}'),
        ('{"t":' * 100_000, "line 2: text ('" + ('{"t":' * 8) + f"') {FORM}"),
        ("9" * 5000, f"line 2: text ('{'9' * 40}') {FORM}"),
        ('{"t": 1.0}', "line 2: t (1.0) is not an integer in [0, "),
        ('{"t": true}', "line 2: t (True) is not an integer in [0, "),
        ('{"t": null}', "line 2: t is not an integer in [0, "),
        ("-1", "line 2: t (-1) is not an integer in [0, "),
        ("3 3", "line 2: index (3) is not an integer in [0, 2]"),
        ("3 -1", "line 2: index (-1) is not an integer in [0, 2]"),
        ("3 1 2", "line 2: value (2) is not an integer in [0, 1]"),
        ("3 1 1 z", "line 2: input (z) is not one of x"),
        ('{"t": 3, "index": 1, "input": []}', "line 2: input ([]) is not one of x"),
        ("1 1", "line 2: t (1) is before step 2, which has begun"),
        ("2 1", "line 2: index (1) has an event already at step 2"),
    ],
)
def test_a_bad_line_is_named_by_its_number(net: Path, tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        ran(net, ["2 1", line], state_out=tmp_path / "s.npz")
    assert str(caught.value).startswith(message) and caught.value.exit_code == 2
    assert not (tmp_path / "s.npz").exists()


def test_an_overflow_is_the_sessions(tmp_path: Path) -> None:
    groups = (LIF("a", (3,), 4095, 0, fixed.VTH_MAX, np.zeros(3, int)), relay().groups[1])
    links = (Dense("x", "a", 255 * np.eye(3, dtype=int), weight_exp=7), relay().connections[1])
    save_program(relay(groups=groups, connections=links), tmp_path / "net.h5")
    with pytest.raises(OverflowDetected, match="^a: v of neuron 1 at step 6 "):
        ran(tmp_path / "net.h5", [f"{t} 1" for t in range(9)])
    assert ran(tmp_path / "net.h5", [f"{t} 1" for t in range(9)], profile="lava") == ["4 1 1"]


# ---------------------------------------------------------------- as a process


def started(net: Path, *options: object) -> subprocess.Popen[str]:
    command = [*COMMAND, str(net), *map(str, options)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, encoding="utf-8")


def say(process: subprocess.Popen[str], text: str) -> None:
    assert process.stdin is not None
    process.stdin.write(text)
    process.stdin.flush()


def heard(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def test_a_process_answers_while_its_input_is_open_and_ends_with_it(net: Path) -> None:
    process = started(net)
    say(process, "0 1\n3\n")
    assert heard(process) == "0 1 1\n"
    out, err = process.communicate("3 2\n")
    assert (out, err, process.returncode) == ("3 2 1\n", "", 0)


def test_a_bad_line_is_exit_code_2_and_one_line(net: Path) -> None:
    process = started(net)
    assert process.stdin is not None
    process.stdin.buffer.write(b"0 1\n\xff\xfe\n")
    out, err = process.communicate()
    assert process.returncode == 2 and out == ""
    assert err.startswith("error SP211: line 2: text (") and err.count("\n") == 1


@pytest.mark.uncovered
def test_ctrl_c_answers_what_came_and_saves(net: Path, tmp_path: Path) -> None:
    for options, last in (((), "3 2 1\n"), (("--state-out", tmp_path / "s.npz"), "")):
        process = started(net, *options)
        say(process, "0 1\n3 2\n")
        assert heard(process) == "0 1 1\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
        assert (out, err, process.returncode) == (last, "", 130)
    assert Session.load(tmp_path / "s.npz", relay()).t == 4


@pytest.mark.uncovered
def test_a_second_ctrl_c_does_not_wait(net: Path) -> None:
    process = started(net)
    say(process, "0 1\n3\n")
    assert heard(process) == "0 1 1\n"
    say(process, f"{2**60}\n")  # steps for ever
    for _ in range(2):
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert (out, err, process.returncode) == ("", "", 130)


def test_a_reader_that_leaves_is_the_end(net: Path) -> None:
    process = started(net)
    assert process.stdin is not None and process.stdout is not None and process.stderr is not None
    say(process, "0 1\n3\n")
    assert heard(process) == "0 1 1\n"
    process.stdout.close()
    say(process, "3 1\n9\n")
    assert process.stderr.read() == "" and process.wait() == 0
    process.stderr.close()
    with pytest.raises(BrokenPipeError):
        for _ in range(1000):
            say(process, "9\n")
    with pytest.raises(BrokenPipeError):
        process.stdin.close()
