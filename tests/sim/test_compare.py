import numpy as np
import pytest

from spikeport.errors import InputError
from spikeport.sim.compare import Comparison, Difference, compare
from spikeport.sim.result import Trace


def trace(steps: int = 4, batch: int = 2, shape: tuple[int, ...] = (2, 3), **changed: int) -> Trace:
    """All zeros; `u=7` puts a 7 at step 3, sample 1, neuron (1, 2)."""
    arrays = {k: np.zeros((steps, batch, *shape), np.int64) for k in "uvs"}
    for name, value in changed.items():
        arrays[name][2, 1, -1, -1] = value
    s = arrays.pop("s")
    return Trace(arrays, s)


def test_equal_runs_count_every_value() -> None:
    found = compare({"a": trace(), "b": trace(shape=(1,))}, {"a": trace(), "b": trace(shape=(1,))})
    assert found.equal
    assert found.values == 3 * 4 * 2 * (6 + 1)
    assert found.first is None


def test_first_difference_names_the_place_and_both_values() -> None:
    found = compare({"a": trace(v=-5)}, {"a": trace()})
    assert found.differing == 1
    assert found.first == Difference(step=3, group="a", variable="v", sample=1, neuron=5, a=-5, b=0)
    assert str(found.first) == "step 3, a, sample 1, neuron 5: v is -5 and 0"


def test_first_is_the_earliest_step_and_then_the_first_group() -> None:
    late = {"a": trace(), "b": trace(u=1, s=1)}
    early = trace(s=1)
    early.s[0, 0, 0, 0] = 1
    assert compare(late, {"a": trace(), "b": trace()}).first == Difference(3, "b", "u", 1, 5, 1, 0)
    found = compare({"a": trace(u=1), "b": early}, {"a": trace(), "b": trace()})
    assert found.first == Difference(1, "b", "s", 0, 0, 1, 0)


def test_the_table_counts_by_group_and_variable() -> None:
    found = compare({"a": trace(), "b": trace(u=1, s=1)}, {"a": trace(), "b": trace()})
    assert [(row.group, row.by_variable) for row in found.groups] == [
        ("a", {"u": 0, "v": 0, "s": 0}),
        ("b", {"u": 1, "v": 0, "s": 1}),
    ]
    assert isinstance(found, Comparison) and found.differing == 2


def test_where_one_side_has_the_last_state_only_it_keeps_its_hardware_step() -> None:
    whole = trace(u=5)
    whole.u[-1, 0, 0, 1] = 9
    last = Trace({"u": np.zeros((1, 2, 2, 3), np.int64), "v": whole.v[-1:]}, whole.s)
    found = compare({"a": whole}, {"a": last})
    assert found.values == (1 + 1 + 4) * 2 * 6
    assert found.differing == 1
    assert found.first == Difference(step=4, group="a", variable="u", sample=0, neuron=1, a=9, b=0)


def test_integer_types_may_differ() -> None:
    wide = trace(u=3)
    narrow = Trace({k: x.astype(np.int32) for k, x in wide.state.items()}, wide.s.astype(np.uint8))
    assert compare({"a": trace(u=3)}, {"a": narrow}).equal


def test_other_groups_or_shapes_are_refused() -> None:
    with pytest.raises(InputError, match="groups"):
        compare({"a": trace()}, {"b": trace()})
    with pytest.raises(InputError, match=r"compare a: variables \(u, v\) are not re, im"):
        compare({"a": trace()}, {"a": Trace({"re": trace().u, "im": trace().v}, trace().s)})
    with pytest.raises(InputError, match=r"compare a: shape of u .* is not \(5, 2, 2, 3\)"):
        compare({"a": trace()}, {"a": trace(steps=5)})
