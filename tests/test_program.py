"""Every part of a Program refuses what no core can hold, in words that name the place and the limit."""

from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace
from typing import Any

import numpy as np
import pytest

from spikeport.errors import ProgramError
from spikeport.program import LIF, Conv, Dense, Encoder, Input, Output, Program, SigmaDelta, Sparse, identical
from spikeport.sim.random_programs import random_program


def ints(*shape: int) -> np.ndarray:
    return np.zeros(shape, np.int64)


def group(**changes: Any) -> LIF:
    return LIF(**{"name": "g", "shape": (3,), "du": 0, "dv": 0, "vth": 1, "bias_mant": ints(3), **changes})


def dense(**changes: Any) -> Dense:
    return Dense(**{"source": "x", "target": "g", "weight": ints(3, 2), **changes})


def sparse(**changes: Any) -> Sparse:
    row, col = np.array([0, 2]), np.array([1, 0])
    return Sparse(**{"source": "x", "target": "g", "row": row, "col": col, "weight": ints(2), **changes})


def conv(**changes: Any) -> Conv:
    return Conv(**{"source": "x", "target": "g", "weight": ints(4, 1, 3, 3), **changes})


def entry(**changes: Any) -> Input:
    return Input(**{"name": "x", "shape": (2,), "kind": "spike", **changes})


def encoder(**changes: Any) -> Encoder:
    return Encoder(**{"synapses": dense(source="image"), "offset": ints(3), **changes})


def output(**changes: Any) -> Output:
    return Output(**{"name": "y", "source": "g", **changes})


def program(**changes: Any) -> Program:
    parts = {"groups": (group(),), "connections": (dense(),), "inputs": (entry(),), "outputs": (output(),)}
    return Program(**{**parts, **changes})


def refused(make: Callable[..., object], *args: Any, **changes: Any) -> ProgramError:
    with pytest.raises(ProgramError) as caught:
        make(*args, **changes)
    return caught.value


# ---------------------------------------------------------------- integers: (part, field, low, high)

RANGES = [
    (group, "du", -1, 4095),
    (group, "dv", 0, 4096),
    (group, "vth", 0, 131071),
    (group, "bias_exp", 0, 7),
    (group, "reset_interval", 0, 2**30),
    (group, "reset_offset", 0, 2**30),
    (dense, "weight_exp", -8, 7),
    (sparse, "weight_exp", -8, 7),
    (conv, "weight_exp", 0, 7),
    (dense, "delay", 0, 62),
    (sparse, "delay", 0, 62),
    (conv, "delay", 0, 62),
    (conv, "groups", 1, 4),
    (encoder, "shift", 0, 24),
    (output, "classes", 0, 2**31 - 1),
    (program, "latency", 0, 2**20),
]
PLACES = {group: "g", dense: "x -> g", sparse: "x -> g", conv: "x -> g", encoder: "encoder image -> g", output: "y"}
ranges = pytest.mark.parametrize(
    ("part", "name", "low", "high"), RANGES, ids=[f"{part.__name__}.{name}" for part, name, _, _ in RANGES]
)


@ranges
def test_both_limits_of_a_range_are_allowed(part: Callable[..., Any], name: str, low: int, high: int) -> None:
    assert getattr(part(**{name: low}), name) == low
    assert getattr(part(**{name: high}), name) == high


@ranges
def test_one_beyond_either_limit_is_refused(part: Callable[..., Any], name: str, low: int, high: int) -> None:
    where = PLACES.get(part, "program")
    for beyond in (low - 1, high + 1):
        error = refused(part, **{name: beyond})
        assert str(error) == f"{where}: {name} ({beyond}) is not in [{low}, {high}]"
        assert (error.where, error.what, error.got, error.limit) == (where, name, beyond, f"[{low}, {high}]")


@ranges
@pytest.mark.parametrize("value", [1.0, True, None, "1", np.int64(1)], ids=repr)
def test_only_a_plain_integer_is_an_integer(
    part: Callable[..., Any], name: str, low: int, high: int, value: object
) -> None:
    error = refused(part, **{name: value})
    assert str(error) == f"{PLACES.get(part, 'program')}: {name} ({value!r}) is not an integer"


# ---------------------------------------------------------------- names, shapes, numbers


@pytest.mark.parametrize("name", ["", "a b", "a/b", "ä", "a.b", 7, None], ids=repr)
@pytest.mark.parametrize("part", [group, entry, output])
def test_a_name_is_letters_digits_and_underscores(part: Callable[..., Any], name: object) -> None:
    error = refused(part, name=name)
    assert str(error) == f"program: name ({name!r}) is not letters, digits and underscores"


@pytest.mark.parametrize("shape", [(), (0,), (-1, 2), (2.0,), [2], 2, (np.int64(2),), (2**16, 2**15)], ids=repr)
@pytest.mark.parametrize("part", [group, entry])
def test_a_shape_is_positive_integers(part: Callable[..., Any], shape: object) -> None:
    error = refused(part, shape=shape)
    assert (error.what, error.got, error.limit) == ("shape", shape, "positive sizes below 2^31 in all")


@pytest.mark.parametrize("value", [0, -1.0, float("nan"), float("inf"), "1", None, True], ids=repr)
@pytest.mark.parametrize(("part", "name"), [(group, "v_unit"), (program, "dt_s")])
def test_a_unit_is_a_positive_number(part: Callable[..., Any], name: str, value: object) -> None:
    error = refused(part, **{name: value})
    assert (error.what, error.got, error.limit) == (name, repr(value), "a positive number")


@pytest.mark.parametrize("value", [1, 2.5, np.float32(0.5), np.float64(0.1)], ids=repr)
@pytest.mark.parametrize(("part", "name"), [(group, "v_unit"), (program, "dt_s")])
def test_a_unit_is_kept_as_a_python_float(part: Callable[..., Any], name: str, value: float) -> None:
    kept = getattr(part(**{name: value}), name)
    assert type(kept) is float
    assert kept == value


@pytest.mark.parametrize("name", ["chip", "nir_sha256"])
@pytest.mark.parametrize("value", [None, 7, ("a",), "ä", "a\n", "a\0"], ids=repr)
def test_what_a_program_tells_about_itself_is_plain_text(name: str, value: object) -> None:
    error = refused(program, **{name: value})
    assert str(error) == f"program: {name} ({value!r}) is not printable ASCII text"


# ---------------------------------------------------------------- arrays


@pytest.mark.parametrize("bad", [np.zeros(3), np.zeros(3, bool), [0, 0, 0], None], ids=repr)
def test_a_bias_is_an_integer_array(bad: object) -> None:
    error = refused(group, bias_mant=bad)
    assert (error.where, error.what, error.limit) == ("g", "bias_mant type", "an integer array")


def test_a_bias_has_the_shape_of_its_group() -> None:
    error = refused(group, bias_mant=ints(3, 1))
    assert str(error) == "g: bias_mant shape ((3, 1)) is not (3,)"


@pytest.mark.parametrize("value", [-4097, 4096])
def test_a_bias_mantissa_has_13_bits(value: int) -> None:
    assert group(bias_mant=np.array([-4096, 0, 4095])).bias_mant.tolist() == [-4096, 0, 4095]
    error = refused(group, bias_mant=np.array([0, value, 0]))
    assert str(error) == f"g: bias_mant ({value}) is not in [-4096, 4095]"


@pytest.mark.parametrize("weights", [[255, 0], [-255, 0], [-256, 254], [0, 0]], ids=str)
@pytest.mark.parametrize("part", [dense, sparse, conv])
def test_weights_of_either_sign_mode_are_allowed(part: Callable[..., Any], weights: list[int]) -> None:
    assert spread(part, weights).weight.reshape(-1)[:2].tolist() == weights


@pytest.mark.parametrize(("weights", "got"), [([256, 0], 256), ([-257, 0], -257), ([1000, -1000], -1000)], ids=str)
@pytest.mark.parametrize("part", [dense, sparse, conv])
def test_a_weight_has_8_bits_and_a_sign(part: Callable[..., Any], weights: list[int], got: int) -> None:
    error = refused(spread, part, weights)
    assert str(error) == f"x -> g: weight ({got}) is not in [-256, 255]"


@pytest.mark.parametrize("weights", [[-256, 0], [-1, 2], [-2, 1], [-2, 255]], ids=str)
@pytest.mark.parametrize("part", [dense, sparse, conv])
def test_mixed_signs_leave_7_bits_and_even_values(part: Callable[..., Any], weights: list[int]) -> None:
    error = refused(spread, part, weights)
    assert error.what == "weight mantissas"
    assert error.limit == "even in [-256, 254] with mixed signs, or within 255 with one sign"
    assert error.do == "halve them and raise weight_exp by one"


def spread(part: Callable[..., Any], weights: list[int]) -> Any:
    """A connection whose first two weights are these, and the others 0."""
    weight = part().weight.astype(np.int64)
    weight.reshape(-1)[:2] = weights
    return part(weight=weight)


@pytest.mark.parametrize(
    ("part", "shape", "axes"),
    [(dense, (6,), 2), (dense, (0, 2), 2), (sparse, (2, 1), 1), (conv, (4, 3, 3), 4), (conv, (4, 1, 0, 3), 4)],
    ids=["dense", "empty dense", "sparse", "conv", "empty conv"],
)
def test_a_weight_has_the_axes_of_its_kind(part: Callable[..., Any], shape: tuple[int, ...], axes: int) -> None:
    error = refused(part, weight=ints(*shape))
    assert str(error) == f"x -> g: weight shape ({shape}) does not have {axes} axes, none empty"


def test_a_weight_is_an_integer_array() -> None:
    error = refused(dense, weight=np.zeros((3, 2)))
    assert str(error) == "x -> g: weight type (float64) is not an integer array"


def test_a_sparse_connection_may_hold_no_synapse() -> None:
    assert sparse(row=ints(0), col=ints(0), weight=ints(0)).weight.size == 0


@pytest.mark.parametrize("part", [dense, sparse])
def test_delays_of_single_weights_have_the_weights_shape_and_6_bits(part: Callable[..., Any]) -> None:
    shape = part().weight.shape
    assert part(delay=np.full(shape, 62)).delay.max() == 62
    error = refused(part, delay=ints(5))
    assert str(error) == f"x -> g: delay shape ((5,)) is not {shape}"
    for value in (-1, 63):
        error = refused(part, delay=np.full(shape, value))
        assert str(error) == f"x -> g: delay ({value}) is not in [0, 62]"


@pytest.mark.parametrize("name", ["row", "col"])
def test_the_indices_of_a_sparse_connection_are_checked(name: str) -> None:
    error = refused(sparse, **{name: ints(3)})
    assert str(error) == f"x -> g: {name} shape ((3,)) is not (2,)"
    error = refused(sparse, **{name: np.array([0, -1])})
    assert str(error) == f"x -> g: {name} (-1) is not in [0, 2147483647]"
    error = refused(sparse, **{name: np.zeros(2)})
    assert str(error) == f"x -> g: {name} type (float64) is not an integer array"


def test_a_synapse_listed_twice_is_refused() -> None:
    error = refused(sparse, row=np.array([1, 1]), col=np.array([0, 0]))
    assert str(error) == "x -> g: synapse listed twice; add the weights of equal (row, col) pairs"


@pytest.mark.parametrize(("name", "low"), [("stride", 1), ("padding", 0), ("dilation", 1)])
def test_the_pairs_of_a_convolution_are_checked(name: str, low: int) -> None:
    for bad in (1, (1,), (1, 1, 1), [1, 1]):
        error = refused(conv, **{name: bad})
        assert (error.what, error.got, error.limit) == (name, bad, "a pair of integers")
    for beyond in (low - 1, 2**15):
        error = refused(conv, **{name: (1, beyond)})
        assert str(error) == f"x -> g: {name} ({beyond}) is not in [{low}, 32767]"


def test_output_channels_divide_by_groups() -> None:
    error = refused(conv, groups=3)
    assert str(error) == "x -> g: output channels (4) do not divide by groups 3"


@pytest.mark.parametrize("source", [(2, 5, 5), (1, 5), (25,)])
def test_a_convolution_asks_for_its_channels(source: tuple[int, ...]) -> None:
    error = refused(conv().output_shape, source)
    assert str(error) == f"x -> g: source shape ({source}) is not (1, h, w)"


def test_a_kernel_larger_than_the_padded_source_is_refused() -> None:
    assert conv(padding=(1, 0)).output_shape((1, 1, 3)) == (4, 1, 1)
    error = refused(conv().output_shape, (1, 2, 3))
    assert str(error) == "x -> g: kernel ([3, 3]) exceeds the padded source (1, 2, 3)"


@pytest.mark.parametrize("part", [dense, sparse, conv])
def test_a_connection_knows_its_port_and_whether_payloads_count(part: Callable[..., Any]) -> None:
    assert str(refused(part, port="b")) == "x -> g: port (b) is not one of a, re, im"
    assert str(refused(part, graded=1)) == "x -> g: graded (1) is not True or False"


# ---------------------------------------------------------------- inputs, encoders


def test_an_input_is_of_a_known_kind() -> None:
    error = refused(entry, kind="current")
    assert str(error) == "x: input kind (current) is not one of spike, graded, bias"


def test_a_spike_is_0_or_1() -> None:
    error = refused(entry, high=2)
    assert str(error) == "x: range of a spike input ((0, 2)) is not (0, 1)"


def test_the_range_of_an_input_has_a_low_below_its_high() -> None:
    error = refused(entry, kind="bias", low=5, high=5)
    assert str(error) == "x: low (5) is not below high 5"


@pytest.mark.parametrize(("name", "value"), [("low", -32769), ("high", 65536)])
def test_an_input_value_has_16_bits(name: str, value: int) -> None:
    assert entry(kind="bias", low=-32768, high=65535).high == 65535
    error = refused(entry, kind="bias", **{name: value})
    assert str(error) == f"x: {name} ({value}) is not in [-32768, 65535]"


@pytest.mark.parametrize(("name", "value"), [("low", -(2**23)), ("high", 2**23)])
def test_a_payload_has_24_bits(name: str, value: int) -> None:
    assert entry(kind="graded", low=1 - 2**23, high=2**23 - 1).low == 1 - 2**23
    error = refused(entry, kind="graded", **{name: value})
    assert str(error) == f"x: {name} ({value}) is not in [-8388607, 8388607]"


@pytest.mark.parametrize("delay", [1, np.zeros((3, 2), int)], ids=["one", "each"])
def test_the_host_does_not_delay(delay: object) -> None:
    error = refused(encoder, synapses=dense(source="image", delay=delay))
    assert (error.where, error.what, error.limit) == ("encoder image -> g", "delay on the host", 0)


def test_an_encoder_is_dense_or_a_convolution() -> None:
    error = refused(encoder, synapses=sparse())
    assert str(error) == "encoder x -> g: synapses (Sparse) are not Dense or Conv"


@pytest.mark.parametrize("value", [-(2**31) - 1, 2**31])
def test_an_offset_has_32_bits(value: int) -> None:
    error = refused(encoder, offset=np.array([0, value, 0]))
    assert str(error) == f"encoder image -> g: offset ({value}) is not in [-2147483648, 2147483647]"


# ---------------------------------------------------------------- the whole

IMAGE = entry(name="image", kind="bias", high=255)
WHOLE = [
    ({"groups": ()}, "program: no neuron group"),
    ({"inputs": ()}, "program: no input"),
    ({"outputs": ()}, "program: no output"),
    ({"groups": (group(), group())}, "program: names used twice (g)"),
    ({"inputs": (entry(), entry(name="g"))}, "program: names used twice (g)"),
    ({"outputs": (output(), output())}, "program: outputs of one name (y)"),
    ({"profile": "loihi9"}, "program: profile (loihi9) is not one of strict, lava, loihi1"),
    ({"connections": (dense(source="z"),)}, "z -> g: source (z) is not in the program"),
    ({"connections": (dense(target="x"),)}, "x -> x: target (x) is not a neuron group"),
    ({"connections": (dense(weight=ints(2, 3)),)}, "x -> g: weight shape ((2, 3)) is not (3, 2)"),
    ({"connections": (sparse(row=np.array([0, 3])),)}, "x -> g: row (3) is not below 3"),
    ({"connections": (sparse(col=np.array([0, 2])),)}, "x -> g: col (2) is not below 2"),
    (
        {"inputs": (IMAGE,), "connections": (dense(source="image"),)},
        "image -> g: input kind (bias) is not spike or graded",
    ),
    ({"connections": (dense(port="re"),)}, "x -> g: port (re) is not one of a"),
    (
        {"inputs": (entry(), IMAGE), "groups": (SigmaDelta("g", (3,), "sigma"),), "encoders": (encoder(),)},
        "encoder image -> g: target (SigmaDelta) is not LIF: no other kind loads a bias",
    ),
    ({"encoders": (encoder(synapses=dense()),)}, "x -> g: input kind (spike) is not bias"),
    ({"encoders": (encoder(synapses=dense(source="g")),)}, "encoder g -> g: source (g) is not an input"),
    (
        {"inputs": (entry(), IMAGE), "encoders": (encoder(offset=ints(2)),)},
        "encoder image -> g: offset shape ((2,)) is not (3,)",
    ),
    (
        {"inputs": (entry(), IMAGE), "encoders": (encoder(), encoder())},
        "program: groups with two encoders (g)",
    ),
    ({"outputs": (output(source="x"),)}, "y: source (x) is not a neuron group"),
    ({"outputs": (output(classes=2),)}, "y: neurons (3) do not divide by classes 2"),
    ({"outputs": (output(classes=2, reads="v"),)}, "y: neurons (3) do not divide by classes 2"),
    (
        {"groups": (SigmaDelta("g", (3,), "sigma"),), "outputs": (output(reads="v"),)},
        "y: source (SigmaDelta) is not LIF: no other kind has a v",
    ),
]


@pytest.mark.parametrize(("changes", "message"), WHOLE, ids=[message for _, message in WHOLE])
def test_parts_that_do_not_fit_together_are_refused(changes: dict[str, Any], message: str) -> None:
    assert str(refused(lambda: program(**changes))) == message


def test_a_convolution_gives_its_target_its_shape() -> None:
    changes = {"inputs": (entry(shape=(1, 5, 4)),), "connections": (conv(),)}
    fitting = group(shape=(4, 3, 2), bias_mant=ints(4, 3, 2))
    assert program(groups=(fitting,), **changes).group("g").size == 24
    error = refused(program, groups=(group(shape=(24,), bias_mant=ints(24)),), **changes)
    assert str(error) == "x -> g: shape of the convolution ((4, 3, 2)) is not the target's (24,)"


def test_a_program_finds_its_parts_by_name() -> None:
    made = program()
    assert made.shape_of("x") == (2,)
    assert made.shape_of("g") == (3,)
    assert made.group("g") is made.groups[0]


# ---------------------------------------------------------------- resets, ownership, equality


@pytest.mark.parametrize(
    ("interval", "offset", "steps"),
    [(4, 1, [1, 5, 9]), (4, 6, [2, 6, 10]), (1, 0, list(range(1, 12))), (0, 3, []), (5, 5, [5, 10])],
)
def test_a_group_resets_before_the_steps_of_its_interval_and_offset(
    interval: int, offset: int, steps: list[int]
) -> None:
    """4 and 1 reset at t = 1, 5, 9: measured on lava-nc 0.10.0."""
    made = group(reset_interval=interval, reset_offset=offset)
    assert [t for t in range(1, 12) if made.resets_before(t)] == steps


def test_a_part_owns_its_arrays() -> None:
    weight = ints(3, 2)
    made = dense(weight=weight)
    weight[0, 0] = 8
    assert made.weight[0, 0] == 0


@pytest.mark.parametrize(
    "array",
    [group().bias_mant, dense().weight, sparse().row, sparse().col, conv().weight, encoder().offset]
    + [dense(delay=ints(3, 2)).delay],
)
def test_the_arrays_of_a_part_cannot_be_written(array: np.ndarray) -> None:
    with pytest.raises(ValueError, match="read-only"):
        array[...] = 1


def test_the_fields_of_a_part_cannot_be_assigned() -> None:
    with pytest.raises(FrozenInstanceError):
        program().latency = 3


def test_a_program_is_identical_to_one_built_alike() -> None:
    one, two = (random_program(np.random.default_rng(4))[0] for _ in range(2))
    assert one is not two
    assert identical(one, two)


@pytest.mark.parametrize(
    "changes",
    [
        {"latency": 1},
        {"dt_s": 1e-3},
        {"chip": "loihi1"},
        {"profile": "lava"},
        {"nir_sha256": "0" * 64},
        {"groups": (group(vth=2),)},
        {"groups": (group(bias_mant=np.array([0, 0, 1])),)},
        {"connections": (dense(weight_exp=1),)},
        {"connections": (dense(delay=ints(3, 2)),)},
        {"connections": (dense(), dense())},
        {"connections": (sparse(),)},
        {"outputs": (output(classes=3),)},
    ],
    ids=str,
)
def test_a_program_that_differs_in_one_field_is_not_identical(changes: dict[str, Any]) -> None:
    assert not identical(program(), replace(program(), **changes))
