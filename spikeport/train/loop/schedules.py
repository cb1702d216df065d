"""The learning rate of an epoch, as a function of the epoch alone: a run that is taken up needs no state of it."""

import math

from spikeport.train.settings import Train


def rate_at(course: Train, epoch: int) -> float:
    """The learning rate of an epoch, from 1.

    Equal to torch's LinearLR (warmup), then CosineAnnealingLR, StepLR, MultiStepLR or LinearLR, stepped every epoch.
    """
    done = epoch - 1
    if done < course.warmup_epochs:
        return course.learning_rate * epoch / (course.warmup_epochs + 1)
    return _SCHEDULES[course.schedule](course, done - course.warmup_epochs)


def _cosine(course: Train, done: int) -> float:
    half = course.t_max or course.epochs - course.warmup_epochs
    span = course.learning_rate - course.minimum_rate
    return course.minimum_rate + span * (1 + math.cos(math.pi * done / half)) / 2


def _step(course: Train, done: int) -> float:
    return course.learning_rate * course.gamma ** (done // course.step_epochs)


def _multistep(course: Train, done: int) -> float:
    return course.learning_rate * course.gamma ** sum(done >= milestone for milestone in course.milestones)


def _linear(course: Train, done: int) -> float:
    share = done / (course.epochs - course.warmup_epochs)
    return course.learning_rate + (course.minimum_rate - course.learning_rate) * share


def _constant(course: Train, done: int) -> float:
    return course.learning_rate


_SCHEDULES = {
    "cosine": _cosine,
    "step": _step,
    "multistep": _multistep,
    "linear": _linear,
    "constant": _constant,
}
