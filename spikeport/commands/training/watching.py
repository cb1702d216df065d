"""How a training run is shown while it goes: bars on the terminal, and TensorBoard."""

import importlib.util
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from spikeport.commands.bars import Bars as Shown
from spikeport.commands.bars import bars as shown_bars
from spikeport.errors import PackageMissing
from spikeport.train import Epoch, Watch

LOOK_S = 0.5
"""Between two looks at the figures: each waits for the device."""


class Bars(Watch):
    """One bar for the run with the last epoch's figures, one for the epoch with those so far."""

    def __init__(self, bar: Shown, name: str, epochs: int) -> None:
        self.bar, self.epochs = bar, epochs
        self.run = bar.add_task(name, total=epochs, unit="epochs", info="")
        self.epoch = bar.add_task("epoch", total=1, unit="steps", info="")
        self.looked = 0.0
        self.begun = False

    def begin(self, epoch: int, steps: int, done: int) -> None:
        if not self.begun:
            self.begun = True
            self.bar.reset(self.run, completed=epoch - 1, before=epoch - 1, unit="epochs", info="")
        self.bar.reset(
            self.epoch,
            total=steps,
            completed=done,
            before=done,
            unit="steps",
            info="",
            description=f"epoch {epoch}",
        )

    def step(self, figures: Callable[[], dict[str, float]]) -> None:
        self.bar.update(self.epoch, advance=1)
        if not self.bar.disable and time.monotonic() - self.looked > LOOK_S:
            self.bar.update(self.epoch, info=shown(figures()))
            self.looked = time.monotonic()

    def end(self, epoch: Epoch) -> None:
        ours = "" if epoch.selected is None else f"{epoch.selected:{'.4f' if epoch.accuracy is None else '.2%'}}"
        selected = ours and f"  selected {ours}"
        check = epoch.check
        fits = "" if check is None else f"  {check.violations} broken rules  {check.cores} cores  v {check.v_share:.0%}"
        self.bar.update(self.run, completed=epoch.number, info=shown(epoch.figures()) + selected + fits)


def shown(figures: Mapping[str, float]) -> str:
    """Loss, accuracy or the parts of the loss, firing rate and SOPs per sample in one line."""
    first = [f"loss {figures['loss']:.4f}"]
    first += [f"accuracy {figures['accuracy']:.1%}"] if "accuracy" in figures else []
    parts = [f"{name.removeprefix('part ')} {x:.4f}" for name, x in figures.items() if name.startswith("part ")]
    return "  ".join([*first, *parts, f"rate {figures['rate']:.1%}", f"SOPs {figures['sops']:,.0f}"])


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
        for name, part in epoch.parts.items():
            self.writer.add_scalar(f"loss/{name}", part, epoch.number)
        for layer in epoch.layers:
            for name in ("rate", "gain", "keep", "threshold"):
                self.writer.add_scalar(f"{layer.name}/{name}", getattr(layer, name), epoch.number)
        self.writer.flush()


def check_tensorboard() -> None:
    """InputError if it is not installed."""
    if importlib.util.find_spec("tensorboard") is None:
        do = "pip install tensorboard, or leave --tensorboard out"
        raise PackageMissing("train", "tensorboard", relation="is not", limit="installed", do=do)


@contextmanager
def bars(name: str, epochs: int) -> Iterator[Bars]:
    """The bars of a run, on standard error."""
    with shown_bars() as bar:
        yield Bars(bar, name, epochs)
