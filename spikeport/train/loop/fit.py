"""`fit`: a recipe's model, trained on Lightning Fabric, epoch after epoch."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from spikeport.errors import LossNotFinite, RecipeInvalid, TrainingStopped
from spikeport.train.augment import parse_augmentation
from spikeport.train.data import DataSet
from spikeport.train.layer import set_quantize
from spikeport.train.loop.batches import Batches, Feed, Picks, ahead
from spikeport.train.loop.checkpoint import NAME, State, load_state, save_state
from spikeport.train.loop.distributed import agreed, check_parts, part_of, seed_step, single, synchronise, total
from spikeport.train.loop.history import ChipCheck, Epoch, LayerFigures, neurons
from spikeport.train.loop.log import write_logs
from spikeport.train.loop.objective import Place
from spikeport.train.loop.objectives import objective_of
from spikeport.train.loop.optimizers import build_optimizer, set_rate
from spikeport.train.loop.schedules import rate_at
from spikeport.train.loop.stop import Stop
from spikeport.train.recipe import Recipe

if TYPE_CHECKING:
    from lightning_fabric import Fabric

ASK_STEPS = 16
"""Many processes agree every so many steps on whether to save or to stop."""


class Watch:
    """Hears how a run goes, in the first process alone; the methods here do nothing."""

    def begin(self, epoch: int, steps: int, done: int) -> None:
        """An epoch of `steps` steps begins, or goes on after `done`."""

    def step(self, figures: Callable[[], dict[str, float]]) -> None:
        """A step is done; `figures` are means of the epoch so far, and cost a wait for the device."""

    def end(self, epoch: Epoch) -> None:
        """An epoch is done."""


@dataclass(frozen=True)
class Saving:
    """Where a run is kept, and how often inside epochs; after each epoch it always is."""

    folder: Path
    minutes: float = 10.0
    steps: int = 0
    """Besides, every so many steps; 0: never."""
    resume: bool = False


@dataclass(frozen=True)
class Hooks:
    """What others bring to the loop."""

    watch: Watch = Watch()
    check: Callable[[nn.Module], ChipCheck | None] | None = None
    """Holds the network against the chip after each epoch; None if it cannot be on one."""


def fit(
    model: nn.Module,
    data: DataSet,
    recipe: Recipe,
    fabric: "Fabric | None" = None,
    saving: Saving | None = None,
    hooks: Hooks = Hooks(),
) -> list[Epoch]:
    """Trains in place, as the recipe says; the weights are those that it keeps, rounded where it rounds.

    Args:
        model: A classifier, images `(B, *in)` to class rates `(B, classes)`, or an `Autoencoder`.
        fabric: The devices (`make_fabric`); one process on the CPU if None.
        saving: Where and how often checkpoints are written, and whether it resumes; nothing is written if None.

    Returns:
        Losses, accuracies and each layer's figures, an entry for each epoch.

    Raises:
        InputError: batches or devices that do not fit, or a loss that is no longer finite.
        FileError: a checkpoint that is not of this run.
        TrainingStopped: by a signal; the folder holds what `resume` needs.
    """
    return Training(model, data, recipe, fabric or single(), saving, hooks).run()


class Training:
    """One run: its parts, its state, and the loop over them."""

    def __init__(
        self, model: nn.Module, data: DataSet, recipe: Recipe, fabric: "Fabric", saving: Saving | None, hooks: Hooks
    ) -> None:
        self.recipe, self.course, self.fabric, self.saving, self.hooks = recipe, recipe.train, fabric, saving, hooks
        self.feed = Feed(data, data.train, parse_augmentation(recipe.augment, self.course.seed))
        self.selected = _selected(recipe, data)
        self.batches = Batches(len(data.train), self.course.batch, self.course.seed, self.course.drop_last)
        check_parts(self.batches, fabric.world_size)
        self.model = model
        self.objective = objective_of(model, data, recipe)
        self.optimizer = build_optimizer(self.objective, self.course)
        synchronise(model, fabric.world_size > 1)
        self.stepped, self.wrapped = fabric.setup(self.objective, self.optimizer)
        self.state = State(self._nothing())
        if saving is not None and saving.resume:
            self.state = load_state(saving.folder / NAME, model, self.optimizer, fabric)
            if fabric.global_rank:  # the sums of all processes are with the first one
                self.state.sums = self._nothing()
        self.saved_at = self.begun_at = time.monotonic()
        self.watch = hooks.watch if fabric.is_global_zero else Watch()

    def run(self) -> list[Epoch]:
        """The history, at the end of the last epoch."""
        self._write_logs()  # a run may have been killed between its checkpoint and its logs
        with Stop() if self.saving is not None else Deaf() as stop:
            while self.state.epoch < self.course.epochs:
                self._epoch(stop)
        self._keep()
        return self.state.history

    def _epoch(self, stop: Stop) -> None:
        state, number = self.state, self.state.epoch + 1
        order = self.batches.order(number)
        set_quantize(self.model, self.course.quantized(number))
        set_rate(self.optimizer, rate_at(self.course, number))
        self.objective.train()
        self.begun_at = time.monotonic() - state.seconds
        self.watch.begin(number, len(self.batches), state.step)
        for x, y, place in ahead(self._parts(number, order, state.step)):
            self._step(x, y, place)
            state.step += 1
            self.watch.step(self._means)
            if state.step < len(self.batches):
                self._pause(stop)
        self._finish(number)
        if agreed(self.fabric, stop.asked):
            raise self._stopped()

    def _parts(self, number: int, order: Picks, done: int) -> Iterator[tuple[Tensor, Tensor, Place]]:
        """What this process takes of each global batch that is left."""
        fabric = self.fabric
        for step in range(done, len(self.batches)):
            pick = self.batches.pick(order, step)
            own = part_of(np.arange(len(pick)), fabric)
            yield *self.feed(number, pick[own]), Place(number, step, len(pick), int(own[0]), fabric.world_size)

    def _step(self, x: Tensor, y: Tensor, place: Place) -> None:
        course, fabric = self.course, self.fabric
        seed_step(course.seed, place.epoch, place.step, fabric.global_rank)
        self.wrapped.zero_grad()
        loss = self.stepped(fabric.to_device(x), fabric.to_device(y), place)
        if not torch.isfinite(loss):
            do = "lower train.learning_rate, or clip gradients with train.grad_clip"
            where, what = f"recipe {self.recipe.name}", f"loss of epoch {place.epoch}, step {place.step + 1}"
            raise LossNotFinite(where, what, got=loss.item(), relation="is not finite", do=do)
        fabric.backward(loss)
        if course.grad_clip:
            fabric.clip_gradients(self.stepped, self.wrapped, max_norm=course.grad_clip, error_if_nonfinite=False)
        self.wrapped.step()
        self.state.sums += self.objective.figures

    def _finish(self, number: int) -> None:
        """The epoch's record, the weights that are kept, and the files."""
        state = self.state
        record = self._record(number)
        state.history.append(record)
        if self._is_best(record):
            weights = {name: t.detach().cpu().clone() for name, t in self.model.state_dict().items()}
            state.best = {"epoch": number, "selected": record.selected, "weights": weights}
        state.epoch, state.step, state.seconds, state.sums = number, 0, 0.0, self._nothing()
        self._save()
        self._write_logs()
        self.watch.end(record)

    def _is_best(self, record: Epoch) -> bool:
        """Only epochs that round as the last one does are a choice."""
        course, best = self.course, self.state.best.get("selected")
        if course.keep != "best" or record.selected is None:
            return False
        alike = course.quantized(record.number) == course.quantized(course.epochs)
        sign = 1 if self.objective.greater_is_better else -1
        return alike and (best is None or sign * record.selected > sign * best)

    def _record(self, number: int) -> Epoch:
        means = self._summed(total(self.fabric, self.state.sums))
        selected = None if self.selected is None else self.objective.measure(self.selected, self.fabric)
        check = self.hooks.check(self.model) if self.hooks.check and self.fabric.is_global_zero else None
        figures = neurons(self.model)
        layers = tuple(LayerFigures(name, means[f"rate {name}"], *figures[name]) for name in figures)
        seconds = time.monotonic() - self.begun_at
        parts = {name.removeprefix("part "): value for name, value in means.items() if name.startswith("part ")}
        return Epoch(
            number, means["loss"], means.get("accuracy"), means["terms"], means["sops"], rate_at(self.course, number),
            layers, selected, check, seconds, parts,
        )  # fmt: skip

    def _means(self) -> dict[str, float]:
        """Of this process; for people to look at while the epoch runs."""
        return self._summed(self.state.sums)

    def _summed(self, sums: Tensor) -> dict[str, float]:
        return self.objective.means(sums.tolist())

    def _nothing(self) -> Tensor:
        return torch.zeros(len(self.objective.names()), dtype=torch.float64, device=self.fabric.device)

    def _pause(self, stop: Stop) -> None:
        """Between two steps: saves if it is time, and ends if that was asked for."""
        saving, state = self.saving, self.state
        if saving is None or (self.fabric.world_size > 1 and state.step % ASK_STEPS):
            return
        late = time.monotonic() - self.saved_at > 60 * saving.minutes
        asked = agreed(self.fabric, stop.asked)
        if asked or agreed(self.fabric, late) or (saving.steps and state.step % saving.steps == 0):
            self._save()
        if asked:
            raise self._stopped()

    def _save(self) -> None:
        self.saved_at = time.monotonic()
        if self.saving is None:
            return
        sums = total(self.fabric, self.state.sums)
        if self.fabric.is_global_zero:
            held = self.state.sums
            self.state.sums = sums
            if self.state.step:
                self.state.seconds = time.monotonic() - self.begun_at
            path = self.saving.folder / NAME
            save_state(path, self.recipe.name, self.state, self.model, self.optimizer, self.fabric)
            self.state.sums = held

    def _write_logs(self) -> None:
        if self.saving is not None and self.fabric.is_global_zero:
            write_logs(self.saving.folder, self.state.history)

    def _stopped(self) -> TrainingStopped:
        assert self.saving is not None
        where, step = str(self.saving.folder), f", step {self.state.step}" if self.state.step else ""
        do = f"go on with: spikeport train --resume -o {where}"
        return TrainingStopped(where, f"stopped after epoch {self.state.epoch}{step}", do=do)

    def _keep(self) -> None:
        best = self.state.best
        if best:
            self.model.load_state_dict(best["weights"])
        set_quantize(self.model, self.course.quantized(self.course.epochs))
        self.model.eval()


def _selected(recipe: Recipe, data: DataSet) -> Feed | None:
    """The split of `select_on`."""
    if recipe.train.select_on == "none":
        return None
    split = data.test if recipe.train.select_on == "test" else data.validation
    if split is None:
        do = "hold out a share of the training images, such as data.validation = 0.1"
        raise RecipeInvalid(f"recipe {recipe.name}", "validation split", relation="is", limit="missing", do=do)
    return Feed(data, split)


class Deaf(Stop):
    """No signal is caught: there is nothing to save."""

    def __enter__(self) -> Stop:
        return self
