import json
import re

import pytest

from spikeport import errors
from spikeport.errors import FileError, FileMissing, InputError, RuleError, SpikeportError, WrongShape

CLASSES = [c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, SpikeportError)]
EXIT_1 = {
    "RuleError",
    "NumberTooLarge",
    "SimError",
    "OverflowDetected",
    "ShardsMissing",
    "WorkerError",
    "BoardTaken",
    "WorkerTimeout",
}


def drawn_tree() -> dict[str, tuple[str, str]]:
    """`{class: (parent, built-in base)}` as the docstring of errors.py draws it."""
    tree = {}
    above: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"    ([│├└─ ]*)([A-Z]\w+)(?: +\((\w+)\))?", line)
        if not found:
            continue
        depth = len(found[1]) // 4
        above[depth:] = [found[2]]
        tree[found[2]] = (above[depth - 1] if depth else "Exception", found[3] or "")
    return tree


def test_the_tree_in_the_docstring_is_the_tree_of_families() -> None:
    drawn = {name: parent for name, (parent, _) in drawn_tree().items()}
    assert len(drawn) == 9
    assert drawn == {c.__name__: c.__bases__[0].__name__ for c in CLASSES if c.__name__ in drawn}
    families = tuple(c for c in CLASSES if c.__name__ in drawn and c is not SpikeportError)
    assert all(issubclass(c, families) for c in CLASSES if c is not SpikeportError)


def test_the_built_in_bases_are_as_drawn() -> None:
    drawn = {name: base for name, (_, base) in drawn_tree().items() if base}
    assert drawn == {c.__name__: c.__bases__[1].__name__ for c in CLASSES if len(c.__bases__) > 1}


def test_every_class_says_what_it_means() -> None:
    for c in CLASSES:
        assert c.__doc__, c.__name__


def test_a_message_says_where_what_got_relation_limit_and_what_to_do() -> None:
    error = InputError("conv2", "output axons", got=5120, relation="exceed", limit=4096, do="split the layer")
    assert str(error) == "conv2: output axons (5120) exceed 4096; split the layer"


def test_a_message_leaves_out_what_is_not_given() -> None:
    assert str(InputError("x.npz", "no such file")) == "x.npz: no such file"
    assert str(InputError("x", "size", got=0)) == "x: size (0)"
    assert str(InputError("x", "is empty", do="fill it")) == "x: is empty; fill it"


def test_zero_is_a_value_like_any_other() -> None:
    assert str(InputError("x", "delay", got=0, relation="is not", limit=0)) == "x: delay (0) is not 0"


def test_a_message_is_one_line() -> None:
    assert (
        str(InputError("x", "weights", got="[1\n  2]", relation="are not", limit="one"))
        == "x: weights ([1 2]) are not one"
    )


def test_the_pieces_are_attributes() -> None:
    error = RuleError("net", "axons", got=[1, 2], relation="exceed", limit=7, do="split")
    assert (error.where, error.what, error.got, error.relation, error.limit, error.do) == (
        "net",
        "axons",
        [1, 2],
        "exceed",
        7,
        "split",
    )


@pytest.mark.parametrize("cls", CLASSES)
def test_the_root_catches_every_error(cls: type[SpikeportError]) -> None:
    with pytest.raises(SpikeportError, match="^here: it$"):
        raise cls("here", "it")


@pytest.mark.parametrize("cls", CLASSES)
def test_the_exit_code_tells_a_no_from_bad_input(cls: type[SpikeportError]) -> None:
    stopped = {"TrainingStopped": 130}  # as a shell says of a process that Ctrl-C ended
    assert cls.exit_code == stopped.get(cls.__name__, 1 if cls.__name__ in EXIT_1 else 2)


def test_context_added_on_the_way_up_keeps_the_class_and_the_pieces() -> None:
    inner = FileError("net.h5", "format version", got=2, relation="is not", limit=1, do="compile it again")
    outer = inner.inside("run")
    assert type(outer) is FileError
    assert str(outer) == "run (net.h5): format version (2) is not 1; compile it again"
    assert (outer.got, outer.limit) == (2, 1)


def test_a_line_begins_with_the_code() -> None:
    assert FileMissing("net.nir", "no such file").line() == "error SP101: net.nir: no such file"
    assert SpikeportError("here", "it").line() == "error: here: it"


def test_data_is_what_json_can_hold() -> None:
    error = WrongShape("x", "shape", got=(2, 3), relation="is not", limit=4)
    pieces = {"where": "x", "what": "shape", "got": "(2, 3)", "relation": "is not", "limit": 4, "do": ""}
    assert error.data() == {"code": "SP202", **pieces, "message": "x: shape ((2, 3)) is not 4"}
    assert json.loads(json.dumps(error.data())) == error.data()


def test_an_error_at_another_place_is_the_same_error() -> None:
    moved = FileMissing("a", "no such file", do="look").at("b")
    assert (type(moved), str(moved)) == (FileMissing, "b: no such file; look")
