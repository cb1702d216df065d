"""What a terminal shows while a command works, and that a pipe or a file gets nothing of it."""

import os
import pty
import re
import subprocess
import sys
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from spikeport import progress
from spikeport.autoencoder_file import save_bundle
from spikeport.commands import bars
from spikeport.commands.answer import Table, in_parts
from spikeport.progress import counted, working
from tests.cli.test_interrupted import long_work
from tests.trained.nets import read_trained

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def on_terminal(folder: Path, *words: str, **environment: str) -> tuple[int, str, str]:
    """Exit code, standard output, and what standard error, a terminal of 80 columns, was sent."""
    ours, theirs = pty.openpty()
    env = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80", **environment}
    # bars at once, so that no machine is too quick for one
    at_once = "from spikeport import cli; from spikeport.commands import bars; bars.LATE_S = 0.0; cli.main()"
    command = [sys.executable, "-c", at_once, *words]
    run = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=theirs, stdin=theirs, env=env)
    os.close(theirs)
    sent = b""
    while True:
        try:
            more = os.read(ours, 65536)
        except OSError:  # so a terminal ends
            break
        if not more:
            break
        sent += more
    os.close(ours)
    assert run.stdout is not None
    out = run.stdout.read().decode()
    run.stdout.close()
    return run.wait(60), out, sent.decode()


RUN = ("run", "net.h5", "--input", "x.npz", "-o", "y.npz")
ENERGY = ("energy", "net.h5", "--input", "x.npz")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return long_work(tmp_path_factory.mktemp("bars"), samples=120)


@pytest.mark.parametrize(("words", "shown"), [(RUN, "simulating"), (ENERGY, "counting")])
def test_a_terminal_shows_rate_and_time_left(folder: Path, words: tuple[str, ...], shown: str) -> None:
    code, out, err = on_terminal(folder, *words, NO_COLOR="1")
    assert code == 0 and "\x1b" not in out and "━" not in out
    plain = ESCAPE.sub("", err)
    assert shown in plain
    assert re.search(r"[\d,]+/2,00[02] steps  \d[\d.,]* steps/s  \d:\d\d left", plain)
    assert err.count("\x1b[?25l") == err.count("\x1b[?25h")  # the cursor is shown again
    assert not re.search(r"\x1b\[[0-9;]*3[0-9][0-9;]*m", err)  # NO_COLOR is heeded


EACH = {
    "check": (("net.h5",), "looking for overflow"),
    "compile": (("net.nir", "-o", "c.h5", "--steps", "20", "--calibrate", "few.npz"), "comparing stages"),
    "generate": (("bundle", "--count", "500", "-o", "g.npz"), "decoding"),
    "map": (("net.h5", "--search"), "searching"),
    "score": (("net.h5", "--data", "two.npz", "-o", "score"), "scoring"),
    "bundle": (("net.h5", "--input", "two.npz", "-o", "b.zip"), "simulating"),
    "report": (("net.h5", "--input", "two.npz", "-o", "r.html"), "drawing"),
}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What each of these works on."""
    pytest.importorskip("torch")
    from tests.bundles import small_bundle

    folder = long_work(tmp_path_factory.mktemp("small"), samples=2)
    (folder / "x.npz").rename(folder / "two.npz")
    net = next(net for net in read_trained() if net.name == "snntorch_digits_dense")
    (folder / "net.nir").symlink_to(net.graph)
    np.savez(folder / "few.npz", spikes=net.spikes[:, :150])
    save_bundle(small_bundle(), folder / "bundle")
    return folder


@pytest.mark.parametrize("command", EACH)
def test_a_command_cleans_the_screen_of_its_bars(small: Path, command: str) -> None:
    words, shown = EACH[command]
    code, out, err = on_terminal(small, command, *words)
    assert code == 0, err
    assert shown in ESCAPE.sub("", err) and "\x1b" not in out
    assert err.count("\x1b[?25l") == err.count("\x1b[?25h")
    assert ESCAPE.sub("", err.rpartition("\x1b[2K")[2]).strip() == ""  # nothing stands behind the last erasure


def test_a_pipe_gets_no_bar_and_no_colour(folder: Path) -> None:
    forced = {"FORCE_COLOR": "1", "TTY_COMPATIBLE": "1", "CLICOLOR_FORCE": "1"}
    command = [sys.executable, "-m", "spikeport", *ENERGY]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, env={**os.environ, **forced})
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "\x1b" not in ran.stdout and "\r" not in ran.stdout


def test_a_terminal_that_cannot_draw_gets_nothing(folder: Path) -> None:
    code, _, err = on_terminal(folder, *ENERGY, TERM="dumb")
    assert (code, err) == (0, "")


def test_an_error_is_the_last_line_below_the_bars(folder: Path) -> None:
    code, _, err = on_terminal(folder, "run", "net.h5", "--input", "nothing.npz")
    assert code == 2 and ESCAPE.sub("", err).splitlines()[-1].startswith("error SP101: nothing.npz")


# ---------------------------------------------------------------- one bar


class Screen:
    """Bars on a terminal that is a string, at a clock that is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.file = 0.0, StringIO()
        self.console = Console(file=self.file, force_terminal=True, width=80, height=24, color_system=None)
        shown = bars.Bars(self.console, True)
        shown.get_time = lambda: self.now  # type: ignore[method-assign]
        self.bars = shown
        monkeypatch.setattr(bars, "_bars", shown)
        monkeypatch.setattr(bars, "_open", 1)

    def lines(self) -> list[str]:
        for shown in self.bars.get_renderables():
            with self.console.capture() as caught:
                self.console.print(shown)
            return [line.rstrip() for line in caught.get().splitlines()]
        return []


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    return Screen(monkeypatch)


def test_a_bar_is_late_and_has_its_unit(screen: Screen) -> None:
    with bars.drawn("scoring", 1000, "images") as task:
        assert screen.lines() == []
        screen.now = 10.0
        task.advance(250)
        assert [line.partition(" ")[0] for line in screen.lines()] == ["scoring"]
        assert screen.lines()[0].endswith("250/1,000 images  25 images/s  0:30 left")
        task.advance(0, "x" * 200)
        assert len(screen.lines()) == 1 and len(screen.lines()[0]) <= 80
        with bars.drawn("simulating", None, "") as inner:
            screen.now = 12.0
            inner.advance(0)
            assert len(screen.lines()) == 2 and screen.lines()[1].endswith("0:02")
    assert screen.lines() == []


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (100, "scoring 25 ━━━━━                250/1,000 images  25 images/s  0:30 left  loss 0.5"),
        (75, "scoring 25 ━━━━━                250/1,000 images  25 images/s  0:30 left"),
        (60, "scoring 25 ━━       250/1,000 images  25 images/s  0:30 left"),
        (52, "scoring 25 250/1,000 images  25 images/s  0:30 left"),
        (40, "scoring 25 25%  25 images/s  0:30 left"),
        (36, "scoring 25 25 images/s  0:30 left"),
        (30, "scoring 25 25%  0:30 left"),
        (20, "scorin… 0:30 left"),
    ],
)
def test_a_narrow_terminal_keeps_the_rate_and_the_time_left(screen: Screen, width: int, line: str) -> None:
    screen.console.width = width
    with bars.drawn("scoring 25", 1000, "images") as task:
        screen.now = 10.0
        task.advance(250, "loss 0.5")
        assert screen.lines() == [line] and len(line) <= width


def test_two_bars_stand_below_each_other(screen: Screen) -> None:
    with bars.drawn("[b]outer", 4, "layers") as outer, bars.drawn("in", 2000, "steps") as inner:
        screen.now = 10.0
        outer.advance(1, "x" * 200)
        inner.advance(1000)
        first, second = screen.lines()
    assert first.startswith("[b]outer ━━━━━  ") and first.endswith("x…") and len(first) == 80
    assert second == "in       ━━━━━━━━━━           1,000/2,000 steps  100 steps/s  0:10 left"


@pytest.mark.parametrize(
    ("speed", "text"),
    [(0.0, ""), (0.01, "100 s each"), (0.5, "0.5 steps/s"), (9.94, "9.9 steps/s"), (1234.5, "1,234 steps/s")],
)
def test_a_rate_is_read_at_a_glance(speed: float, text: str) -> None:
    assert bars.rate(speed, "steps") == text


@pytest.mark.parametrize(("seconds", "text"), [(0.9, "0:00"), (61, "1:01"), (3599, "59:59"), (7384, "2:03:04")])
def test_a_time_is_minutes_or_hours(seconds: float, text: str) -> None:
    assert bars.clock(seconds) == text


# ---------------------------------------------------------------- who tells, who listens


def test_nobody_need_listen() -> None:
    with working("simulating", 3, "steps") as task:
        task.advance(2, "half way")
    assert [*counted([1, 2], "trying", "changes")] == [1, 2]


def test_a_listener_hears_what_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[object] = []

    class Task:
        def __enter__(self) -> "Task":
            return self

        def __exit__(self, *_: object) -> None:
            heard.append("end")

        def advance(self, n: float = 1, info: str = "") -> None:
            heard.append((n, info))

    def listener(what: str, total: float | None, unit: str) -> Task:
        heard.append((what, total, unit))
        return Task()

    monkeypatch.setattr(progress, "_listener", listener)
    assert [*counted("ab", "proving", "layers")] == ["a", "b"]
    assert heard == [("proving", 2, "layers"), (1, ""), (1, ""), "end"]


# ---------------------------------------------------------------- tables


WIDE = Table("t", ("layer", "a" * 10, "b" * 10, "c" * 10), [("one", "1", "2", "3"), ("two", "4", "5", "6")])


@pytest.mark.parametrize(
    ("width", "columns"),
    [
        (80, [["layer", "a", "b", "c"]]),
        (40, [["layer", "a", "b"], ["layer", "c"]]),
        (10, [["layer", x] for x in "abc"]),
    ],
)
def test_a_table_that_is_too_wide_goes_on_below(width: int, columns: list[list[str]]) -> None:
    parts = in_parts(WIDE, width)
    assert [[name if name == "layer" else name[0] for name in part.columns] for part in parts] == columns
    assert all([row[0] for row in part.rows] == ["one", "two"] for part in parts)
    assert [cell for part in parts for cell in part.rows[1][1:]] == ["4", "5", "6"]


def test_a_table_without_columns_is_one() -> None:
    assert [part.rows for part in in_parts(Table("t", ("",), [("text",)]), 80)] == [[["text"]]]
    assert len(in_parts(Table("t", ("", ""), [("a", "b" * 200)]), 80)) == 1
