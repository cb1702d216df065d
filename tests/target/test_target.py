"""One suite, three targets: `pytest tests/target --target sim`, `lava` or `loihi`. Every value compares with `==`."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.lava import lava_or_skip
from tests.target.cases import TargetCase, cases
from tests.target.targets import TARGETS, Recorded, on_loihi


def compare(found: Sequence[Recorded], wanted: Sequence[TargetCase]) -> int:
    """How many values were compared."""
    compared = 0
    for case, recorded in zip(wanted, found, strict=True):
        assert recorded.keys() >= case.want.keys(), case.name
        for group, of_group in case.want.items():
            for variable, x in of_group.items():
                y = recorded[group][variable]
                assert y.shape == x.shape, f"{case.name}: {group}/{variable}"
                where = np.argwhere(x != y)
                assert not len(where), f"{case.name}: {group}/{variable} differs, first at {where[0].tolist()}"
                compared += x.size
    return compared


def test_programs_do_what_they_must(target: str, few: bool, tmp_path: Path) -> None:
    if target == "lava":
        lava_or_skip()
    chosen = cases(few)
    assert compare(TARGETS[target](chosen, tmp_path), chosen) > 300


def test_the_way_to_the_chip_keeps_every_value(tmp_path: Path) -> None:
    """As `--target loihi`, on stand-ins whose edges lag by 1, 2 and 1 steps; each sample takes some two seconds."""
    lava_or_skip()
    chosen = cases(few=True)[-2:]
    assert compare(on_loihi(chosen, tmp_path, stand_ins=(1, 2, 1)), chosen) > 300


def test_a_wrong_value_is_found(tmp_path: Path) -> None:
    chosen = cases(few=True)[-1:]
    found = [{g: {k: x.copy() for k, x in of.items()} for g, of in chosen[0].want.items()}]
    group = next(iter(found[0]))
    found[0][group]["s"][-1, 0].flat[0] += 1
    with pytest.raises(AssertionError, match=f"{group}/s differs"):
        compare(found, chosen)
