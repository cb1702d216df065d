"""Networks of groups: data flow, what is refused, and the parts that only they use."""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from spikeport.errors import ExportError, InputError, OverflowDetected, WrongType
from spikeport.program import Input, Output
from spikeport.train import (
    ALIF,
    IF,
    Afferent,
    Dynamics,
    ImageGroup,
    QuantLinear,
    QuantSparse,
    SpikingGroup,
    SpikingNetwork,
    Tuning,
    fine_tune,
    network_accuracy,
)

X = Input("x", (2,), "spike")


def linear(weight: list[list[float]], bias: bool = False) -> QuantLinear:
    synapse = QuantLinear(len(weight[0]), len(weight), bias=bias)
    with torch.no_grad():
        synapse.weight.copy_(torch.tensor(weight))
        if synapse.bias is not None:
            synapse.bias.zero_()
    return synapse


def group(name: str, *sources: tuple[str, list[list[float]]], threshold: float = 1.0, lag: int = 1) -> SpikingGroup:
    """Two neurons without leak, in units of 1/64; what they send to themselves takes `lag` steps."""
    into = [Afferent(source, linear(weight), lag=lag if source == name else 0) for source, weight in sources]
    return SpikingGroup(name, (2,), into, torch.zeros(2), IF(threshold), least=2.0**-6)


def network(*groups: SpikingGroup | ImageGroup, inputs: tuple[Input, ...] = (X,), **options: int) -> SpikingNetwork:
    return SpikingNetwork(inputs, groups, (Output("y", groups[-1].name),), **options).eval()


ONE = [[1.5, 0.0], [0.0, 1.5]]
HALF = [[0.75, 0.0], [0.0, 0.75]]


def test_paths_of_unequal_length_meet_in_the_same_step() -> None:
    net = network(group("a", ("x", ONE)), group("b", ("x", HALF), ("a", HALF)))
    x = torch.tensor([[[1, 0]], [[0, 0]], [[1, 1]]])
    assert net.spikes(x)["b"][:, 0].tolist() == [[1, 0], [0, 0], [1, 1]]


def test_its_own_spikes_come_a_step_later_and_more_with_a_lag() -> None:
    x = torch.tensor([[[1, 0]], *[[[0, 0]]] * 5])
    for lag, expected in ((1, [1, 1, 1, 1, 1, 1]), (2, [1, 0, 1, 0, 1, 0]), (5, [1, 0, 0, 0, 0, 1])):
        net = network(group("a", ("x", ONE), ("a", ONE), lag=lag))
        for mode in (True, False):
            assert net.train(mode)(x)[:, 0, 0].tolist() == expected


def test_groups_that_hear_each_other_are_stepped_together() -> None:
    """One spike goes round a and b: at once from a to b, and back after two steps."""
    b_to_a = Afferent("b", linear(ONE), lag=2)
    a = SpikingGroup("a", (2,), [Afferent("x", linear(ONE)), b_to_a], torch.zeros(2), IF(1.0), least=2.0**-6)
    net = network(a, group("b", ("a", ONE)))
    assert net.parts == [["a", "b"]]
    x = torch.tensor([[[1, 0]], *[[[0, 0]]] * 5])
    for mode in (True, False):
        spikes = net.train(mode).spikes(x)
        assert spikes["a"][:, 0, 0].tolist() == spikes["b"][:, 0, 0].tolist() == [1, 0, 1, 0, 1, 0]


def test_the_clock_fires_at_every_step() -> None:
    net = network(group("a", ("x", ONE), ("spikeport_clock", [[0.5], [0.0]])))
    x = torch.zeros(6, 1, 2)
    for mode in (True, False):
        assert net.train(mode)(x)[:, 0].tolist() == [[0, 0], [0, 0], [1, 0]] * 2


def currents(fires: bool, reset: Literal["zero", "subtract"] = "zero") -> SpikingNetwork:
    """Both decays are a half, a spike brings 1 and then 1/2, 1/4 ... into v."""
    weight = [[1.0, 0.0], [0.0, 0.5]]
    options = {"least": 2.0**-6, "keep_u": 0.5, "fires": fires}
    neuron = ALIF(0.5, 0.9, dynamics=Dynamics(reset=reset))
    layer = SpikingGroup("a", (2,), [Afferent("x", linear(weight))], torch.zeros(2), neuron, **options)
    return SpikingNetwork((X,), (layer,), (Output("y", "a", reads="s" if fires else "v"),)).eval()


def test_a_current_decays_and_v_is_read_in_steps() -> None:
    """u = 1, 1/2, 1/4; v = 1, 1/2 + 1/2, 1/2 + 1/4: in steps of 1/64 of a 64th."""
    net = currents(fires=False)
    x = torch.tensor([[[1, 1]], [[0, 0]], [[0, 0]]])
    want = [[4096, 2048], [4096, 2048], [3072, 1536]]
    for mode in (True, False):
        assert net.train(mode)(x)[:, 0].tolist() == want
    assert float(net.group("a").v_unit()) == 2.0**-12


def test_a_soft_reset_takes_the_threshold_off() -> None:
    """v = 1 fires at 0.9; what is left decays by half, and the current brings 1/2 more: no spike, then none."""
    x = torch.tensor([[[1, 0]], [[1, 0]], [[0, 0]], [[0, 0]]])
    for reset, want in (("zero", [1, 1, 0, 0]), ("subtract", [1, 1, 1, 0])):
        net = currents(fires=True, reset=reset)
        for mode in (True, False):
            assert net.train(mode)(x)[:, 0, 0].tolist() == want, (reset, mode)


def test_fine_tuning_moves_the_mean_membrane() -> None:
    labels = torch.randint(0, 2, (60,), generator=torch.Generator().manual_seed(0)).numpy()
    x = nn.functional.one_hot(torch.from_numpy(1 - labels), 2).expand(8, 60, 2).numpy()
    net = currents(fires=False)
    before, *_, after = (epoch.loss for epoch in fine_tune(net, {"x": x}, labels, Tuning(12, 10, 0.05)))
    assert after < before / 2
    assert network_accuracy(net, {"x": x}, labels) == 1


def test_what_does_not_learn_stays() -> None:
    held = Afferent("x", linear(HALF), fixed=True)
    net = network(SpikingGroup("a", (2,), [held], torch.zeros(2), IF(1.0), least=2.0**-6))
    assert not held.synapse.weight.requires_grad
    net.train()(torch.ones(5, 1, 2)).sum().backward()
    assert held.synapse.weight.grad is None and net.group("a").bias.grad is not None


@pytest.mark.parametrize("keep_u", [-0.1, 1.0])
def test_a_current_that_does_not_decay_is_refused(keep_u: float) -> None:
    with pytest.raises(InputError, match="a: keep_u"):
        SpikingGroup("a", (2,), [Afferent("x", linear(ONE))], torch.zeros(2), IF(), least=1.0, keep_u=keep_u)


def test_state_is_cleared_every_so_many_steps() -> None:
    x = torch.tensor([[[1, 0]]] * 6)
    assert network(group("a", ("x", HALF)))(x)[:, 0, 0].tolist() == [0, 1, 0, 1, 0, 1]
    assert network(group("a", ("x", HALF)), steps=3)(x)[:, 0, 0].tolist() == [0, 1, 0, 0, 1, 0]


def test_a_loop_takes_no_more_steps_than_one_interval() -> None:
    net = network(group("a", ("x", ONE), ("a", ONE)), steps=3)
    with pytest.raises(InputError, match=r"a: steps \(4\) exceed 3; run one sample at a time"):
        net(torch.zeros(4, 1, 2))


@pytest.mark.parametrize("size", [(3, 2), (3, 1, 3), (0, 1, 2), (3, 0, 2)])
def test_inputs_of_another_shape_are_refused(size: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="x: shape"):
        network(group("a", ("x", ONE)))(torch.zeros(size))


@pytest.mark.parametrize(("x", "what"), [(torch.full((1, 1, 2), 2), "values"), (torch.full((1, 1, 2), -1), "values")])
def test_inputs_out_of_range_are_refused(x: Tensor, what: str) -> None:
    with pytest.raises(InputError) as caught:
        network(group("a", ("x", ONE)))(x)
    assert (caught.value.where, caught.value.what) == ("x", what)


def test_a_source_that_comes_later_is_refused() -> None:
    with pytest.raises(
        InputError, match=r"a: source \(b\) is not an input, a group before it, or one that it hears late"
    ):
        network(group("a", ("b", ONE)), group("b", ("x", ONE)))


def test_an_output_of_no_group_is_refused() -> None:
    with pytest.raises(InputError, match=r"y: source \(z\) is not a group"):
        SpikingNetwork((X,), (group("a", ("x", ONE)),), (Output("y", "z"),))


def test_overflow_names_the_group() -> None:
    """1.5 is mantissa 96, and (96 << 6) * 1366 passes 2^23 - 1."""
    net = network(group("a", ("x", ONE), threshold=131071 / 64))
    with pytest.raises(OverflowDetected, match=r"^a \(SpikingLayer\): v \(8392704\) leaves 24 bits"):
        net(torch.ones(1400, 1, 2))


def test_weights_that_are_no_numbers_are_refused_by_name() -> None:
    net = network(group("a", ("x", ONE)))
    net.groups[0].bias.data[0] = float("nan")
    with pytest.raises(ExportError, match="^a: bias"):
        net(torch.ones(1, 1, 2))


# ---------------------------------------------------------------- images


def image_group(weight: list[list[float]]) -> ImageGroup:
    source = Input("image", (2,), "bias", 0, 100)
    return ImageGroup("a", (2,), source, linear(weight, bias=True), ALIF(0.5, 1.0), scale=2.0**-7)


def test_an_image_may_change_from_step_to_step() -> None:
    """127 k * x in [0, 12700] is shifted by 2; weight 1 is lsb = 1/127, so the threshold is 127 * 128 / 4 = 4064."""
    net = network(image_group([[1.0, 0.0], [0.0, 1.0]]), inputs=(Input("image", (2,), "bias", 0, 100),))
    ints = net.group("a").integers()
    assert (ints.encoder_shift, ints.vth, ints.dv) == (2, 4064, 2048)
    x = torch.tensor([[[100, 0]], [[100, 100]], [[0, 100]]])
    # mantissas 3175, 0 then 3175, 3175 ...: v of the first is 3175, 1587.5 + 3175 > 4064
    assert net(x)[:, 0].tolist() == [[0, 0], [1, 0], [0, 1]]
    assert torch.equal(net(x), net.train()(x).detach())


def test_an_image_layer_without_weights_is_refused() -> None:
    with pytest.raises(ExportError, match="a: weights are all zero"):
        image_group([[0.0, 0.0], [0.0, 0.0]]).integers()


def test_an_image_layer_needs_a_bias() -> None:
    with pytest.raises(InputError, match="has no bias"):
        ImageGroup("a", (2,), X, linear(ONE), ALIF(), scale=1.0)


# ---------------------------------------------------------------- parts


def test_sparse_synapses_are_the_dense_ones_with_zeros() -> None:
    row, col = torch.tensor([0, 2, 2]), torch.tensor([1, 0, 3])
    sparse, dense = QuantSparse(row, col, 4, 3), QuantLinear(4, 3, bias=False)
    with torch.no_grad():
        sparse.weight.copy_(torch.tensor([0.5, -1.0, 0.25]))
        dense.weight.zero_()
        dense.weight[row, col] = sparse.weight
    x = torch.rand(5, 4, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(sparse(x), dense(x))
    sparse(x).square().sum().backward()
    dense(x).square().sum().backward()
    assert sparse.weight.grad is not None and dense.weight.grad is not None
    assert torch.allclose(sparse.weight.grad, dense.weight.grad[row, col])


@pytest.mark.parametrize(("row", "col"), [([3], [0]), ([0], [4]), ([-1], [0]), ([0], [0, 1])])
def test_a_synapse_between_no_neurons_is_refused(row: list[int], col: list[int]) -> None:
    with pytest.raises(InputError, match="QuantSparse"):
        QuantSparse(torch.tensor(row), torch.tensor(col), 4, 3)


def test_if_neurons_add_up_and_their_threshold_learns() -> None:
    neuron = IF(threshold=1.0)
    spikes = neuron(torch.full((5, 1), 0.4))
    assert spikes[:, 0].tolist() == [0, 0, 1, 0, 0]
    spikes.sum().backward()
    assert neuron.vth.raw.grad is not None and neuron.vth.raw.grad != 0
    assert [name for name, _ in neuron.named_parameters()] == ["vth.raw"]


def test_if_needs_a_threshold() -> None:
    with pytest.raises(InputError, match="IF: threshold"):
        IF(threshold=0.0)


# ---------------------------------------------------------------- fine-tuning


def test_fine_tuning_lowers_the_loss_and_is_repeatable() -> None:
    """Which of two inputs fires; the network begins with the answers exchanged."""
    labels = torch.randint(0, 2, (60,), generator=torch.Generator().manual_seed(0)).numpy()
    x = nn.functional.one_hot(torch.from_numpy(labels), 2).expand(8, 60, 2).numpy()
    losses = []
    for _ in range(2):
        net = network(group("a", ("x", [[0.2, 0.9], [0.9, 0.2]])))
        losses.append([epoch.loss for epoch in fine_tune(net, {"x": x}, labels, Tuning(12, 10, 0.05))])
    assert losses[0] == losses[1]
    assert losses[0][-1] < losses[0][0] / 2


@pytest.mark.parametrize("options", [{"epochs": 0}, {"batch": 0}, {"learning_rate": 0.0}, {"seed": -1}])
def test_a_course_that_trains_nothing_is_refused(options: dict[str, float]) -> None:
    with pytest.raises(InputError, match="fine-tuning"):
        Tuning(**options)


def tunable() -> tuple[SpikingNetwork, NDArray[np.int64], NDArray[np.int64]]:
    rng = np.random.default_rng(0)
    group = SpikingGroup("g", (2,), [Afferent("x", linear([[1.0, 0.0], [0.0, 1.0]]))], torch.zeros(2), ALIF())
    net = SpikingNetwork([X], [group], [Output("y", "g")], steps=4)
    return net, rng.integers(0, 2, (4, 6, 2)), rng.integers(0, 2, 6)


@pytest.mark.parametrize("kind", ["arrays", "tensors", "one array", "lists", "floats"])
def test_fine_tuning_takes_samples_in_the_forms_that_people_have(kind: str) -> None:
    net, x, labels = tunable()
    inputs, classes = {
        "arrays": ({"x": x}, labels),
        "tensors": ({"x": torch.from_numpy(x).float()}, torch.from_numpy(labels)),
        "one array": (x, labels),
        "lists": ({"x": x}, labels.tolist()),
        "floats": ({"x": x.astype(np.float64)}, labels.astype(np.uint8)),
    }[kind]
    before, _, _ = tunable()
    (wanted,) = fine_tune(before, {"x": x}, labels, Tuning(1))
    (found,) = fine_tune(net, inputs, classes, Tuning(1))
    assert found.loss == wanted.loss


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x, y: (x, np.eye(2)[y]), "labels: array (float64 (6, 2)) is not integers (B,), at least one; one-hot"),
        (lambda x, y: (x, y + 0.5), "labels: array (float64 (6,)) is not integers (B,)"),
        (lambda x, y: (x[:, :0], y[:0]), "labels: array (int64 (0,)) is not integers (B,), at least one"),
        (lambda x, y: (x, y[:4]), "labels: number (4 for shape (4, 6, 2) of x) is not B"),
        (lambda x, y: (x.transpose(1, 0, 2), y), "labels: number (6 for shape (6, 4, 2) of x) is not B"),
        (lambda x, y: (x / 2, y), "input x: values (float64) are not integers; round it to integers first"),
    ],
)
def test_what_cannot_be_tuned_on_is_refused(change: Callable[..., Any], message: str) -> None:
    net, x, labels = tunable()
    with pytest.raises(InputError) as caught:
        fine_tune(net, *change(x, labels), Tuning(1))
    assert str(caught.value).startswith(message)


def test_only_a_network_of_groups_is_tuned() -> None:
    _, x, labels = tunable()
    with pytest.raises(WrongType, match=r"network \(Sequential\) is not a SpikingNetwork; from_program"):
        fine_tune(nn.Sequential(), x, labels)  # type: ignore[arg-type]
