"""How a training run is shown while it goes: bars on the terminal, and TensorBoard."""

import importlib.util
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.progress import Progress

from spikeport.commands.answer import progress
from spikeport.errors import InputError
from spikeport.train import Epoch, Watch

LOOK_S = 0.5
"""Between two looks at the figures: each waits for the device."""


class Bars(Watch):
    """One bar for the run with the last epoch's figures, one for the epoch with those so far."""

    def __init__(self, bar: Progress, name: str, epochs: int) -> None:
        self.bar, self.epochs = bar, epochs
        self.run = bar.add_task(name, total=epochs, info="")
        self.epoch = bar.add_task("epoch", total=1, info="")
        self.looked = 0.0

    def begin(self, epoch: int, steps: int, done: int) -> None:
        self.bar.update(self.run, completed=epoch - 1)
        self.bar.reset(self.epoch, total=steps, completed=done, description=f"epoch {epoch}", info="")

    def step(self, figures: Callable[[], dict[str, float]]) -> None:
        self.bar.update(self.epoch, advance=1)
        if not self.bar.disable and time.monotonic() - self.looked > LOOK_S:
            self.bar.update(self.epoch, info=shown(figures()))
            self.looked = time.monotonic()

    def end(self, epoch: Epoch) -> None:
        figures = {"loss": epoch.loss, "accuracy": epoch.accuracy, "rate": epoch.rate, "sops": epoch.sops}
        selected = "" if epoch.selected is None else f"  selected {epoch.selected:.2%}"
        check = epoch.check
        fits = "" if check is None else f"  {check.violations} broken rules  {check.cores} cores  v {check.v_share:.0%}"
        self.bar.update(self.run, completed=epoch.number, info=shown(figures) + selected + fits)


def shown(figures: Mapping[str, float]) -> str:
    """Loss, accuracy, firing rate and SOPs per sample in one line."""
    first = f"loss {figures['loss']:.4f}  accuracy {figures['accuracy']:.1%}"
    return f"{first}  rate {figures['rate']:.1%}  SOPs {figures['sops']:,.0f}"


class Both(Watch):
    """Several watches as one."""

    def __init__(self, *watches: Watch) -> None:
        self.watches = watches

    def begin(self, epoch: int, steps: int, done: int) -> None:
        for watch in self.watches:
            watch.begin(epoch, steps, done)

    def step(self, figures: Callable[[], dict[str, float]]) -> None:
        for watch in self.watches:
            watch.step(figures)

    def end(self, epoch: Epoch) -> None:
        for watch in self.watches:
            watch.end(epoch)


class TensorBoard(Watch):
    """Scalars of every epoch; what a killed run wrote of an epoch that is done again is purged."""

    def __init__(self, folder: Path, done: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        writer: Any = SummaryWriter
        self.writer = writer(str(folder / "tensorboard"), purge_step=done + 1)

    def end(self, epoch: Epoch) -> None:
        for name in ("loss", "terms", "accuracy", "selected", "learning_rate", "rate", "sops", "seconds"):
            value = getattr(epoch, name)
            if value is not None:
                self.writer.add_scalar(name, value, epoch.number)
        for layer in epoch.layers:
            for name in ("rate", "gain", "keep", "threshold"):
                self.writer.add_scalar(f"{layer.name}/{name}", getattr(layer, name), epoch.number)
        self.writer.flush()


def check_tensorboard() -> None:
    """InputError if it is not installed."""
    if importlib.util.find_spec("tensorboard") is None:
        do = "pip install tensorboard, or leave --tensorboard out"
        raise InputError("train", "tensorboard", relation="is not", limit="installed", do=do)


@contextmanager
def bars(name: str, epochs: int) -> Iterator[Bars]:
    """The bars of a run, on standard error."""
    with progress() as bar:
        yield Bars(bar, name, epochs)
