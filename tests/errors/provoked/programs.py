"""SP5..: Programs, the integers themselves."""

import numpy as np
import pytest

from spikeport.program import SigmaDelta
from tests.errors.provoked.small import dense, group, program

Patch = pytest.MonkeyPatch


def sp500(patch: Patch) -> None:
    group(vth=-1)


def sp501(patch: Patch) -> None:
    group(name="a b")


def sp502(patch: Patch) -> None:
    program(connections=(dense(target="h"),))


def sp503(patch: Patch) -> None:
    program(connections=(dense(weight=np.zeros((3, 4), int)),))


def sp504(patch: Patch) -> None:
    group(vth=1.5)


def sp505(patch: Patch) -> None:
    dense(weight=np.array([[-3, 2], [0, 0], [0, 0]]))


def sp506(patch: Patch) -> None:
    program(groups=(SigmaDelta("g", (3,), "sigma_delta"),), profile="loihi1")
