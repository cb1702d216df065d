"""What is told of a run is what the loop tells."""

import io
import sys
from pathlib import Path
from types import ModuleType

import pytest
from rich.console import Console
from rich.progress import Progress, TextColumn

from spikeport.commands.training.watching import Bars, Both, TensorBoard, check_tensorboard
from spikeport.errors import InputError
from spikeport.train import ChipCheck, Epoch, Watch
from spikeport.train.loop.history import LayerFigures

EPOCH = Epoch(
    2, 0.25, 0.5, 0.0, 1234.4, 1e-3, (LayerFigures("0", 0.125, 0.9, 0.5, 0.4),), 0.75, ChipCheck(1, 3, 0.5), 2.0
)
FIGURES = {"loss": 0.5, "accuracy": 0.25, "rate": 0.125, "sops": 2000.0}


def test_bars_show_the_epoch_so_far_and_the_last_one() -> None:
    columns = TextColumn("{task.description}|{task.completed}/{task.total}|{task.fields[info]}")
    with Progress(columns, console=Console(file=io.StringIO(), force_terminal=True)) as bar:
        bars = Bars(bar, "tiny", 3)
        bars.begin(2, 28, 7)
        bars.step(lambda: FIGURES)
        run, epoch = bar.tasks
        assert (run.completed, run.total, epoch.description) == (1, 3, "epoch 2")
        assert (epoch.completed, epoch.total) == (8, 28)
        assert epoch.fields["info"] == "loss 0.5000  accuracy 25.0%  rate 12.5%  SOPs 2,000"
        bars.end(EPOCH)
        assert run.completed == 2
        assert run.fields["info"] == (
            "loss 0.2500  accuracy 50.0%  rate 12.5%  SOPs 1,234  selected 75.00%  1 broken rules  3 cores  v 50%"
        )


def test_bars_show_the_parts_of_an_autoencoders_loss() -> None:
    epoch = Epoch(1, 0.5, selected=0.375, parts={"reconstruction": 0.25, "mmd": 0.125})
    columns = TextColumn("{task.fields[info]}")
    with Progress(columns, console=Console(file=io.StringIO(), force_terminal=True)) as bar:
        Bars(bar, "tiny", 3).end(epoch)
        info = bar.tasks[0].fields["info"]
    assert info == "loss 0.5000  reconstruction 0.2500  mmd 0.1250  rate 0.0%  SOPs 0  selected 0.3750"


def test_a_silent_bar_never_waits_for_figures() -> None:
    with Progress(disable=True) as bar:
        bars = Bars(bar, "tiny", 3)
        bars.begin(1, 2, 0)
        bars.step(lambda: pytest.fail("it asked"))


class Writer:
    """Stands in for SummaryWriter."""

    made: list["Writer"] = []

    def __init__(self, folder: str, purge_step: int) -> None:
        self.folder, self.purge_step, self.scalars, self.flushed = folder, purge_step, {}, 0
        Writer.made.append(self)

    def add_scalar(self, name: str, value: float, step: int) -> None:
        self.scalars[name, step] = value

    def flush(self) -> None:
        self.flushed += 1


def test_tensorboard_gets_every_figure_and_purges_what_is_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = ModuleType("torch.utils.tensorboard")
    module.SummaryWriter = Writer  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)
    board = TensorBoard(tmp_path, 4)
    board.end(EPOCH)
    (writer,) = Writer.made
    assert (writer.folder, writer.purge_step, writer.flushed) == (str(tmp_path / "tensorboard"), 5, 1)
    assert writer.scalars["loss", 2] == 0.25
    assert (writer.scalars["selected", 2], writer.scalars["0/gain", 2]) == (0.75, 0.9)


def test_tensorboard_that_is_not_there_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError) as caught:
        check_tensorboard()
    assert str(caught.value) == (
        "train: tensorboard is not installed; pip install tensorboard, or leave --tensorboard out"
    )


def test_several_watches_hear_the_same() -> None:
    heard: list[object] = []

    class Ear(Watch):
        def begin(self, epoch: int, steps: int, done: int) -> None:
            heard.append((epoch, steps, done))

        def step(self, figures: object) -> None:
            heard.append(figures)

        def end(self, epoch: Epoch) -> None:
            heard.append(epoch)

    both = Both(Ear(), Ear())
    both.begin(1, 2, 0)
    both.step(lambda: FIGURES)
    both.end(EPOCH)
    assert heard[0] == heard[1] == (1, 2, 0)
    assert heard[2] is heard[3] and heard[4] is heard[5] is EPOCH
