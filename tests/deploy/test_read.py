"""The reader believes nothing: what is not a whole, finite, known, connected NIR graph is refused by name."""

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import h5py
import nir
import numpy as np
import pytest

from spikeport.deploy.graph import Graph
from spikeport.deploy.nodes import Conv2d, Linear
from spikeport.deploy.read import from_nir, read_nir
from spikeport.errors import DeployError, FileError, SpikeportError, UnsupportedNode
from spikeport.program_file import save_program
from tests.sim.test_simulate import chain

Edit = Callable[[h5py.File], None]


def lif(*shape: int) -> nir.LIF:
    one, zero = np.ones(shape, np.float32), np.zeros(shape, np.float32)
    return nir.LIF(tau=one * 2e-4, r=one, v_leak=zero, v_threshold=one, v_reset=zero)


def small() -> nir.NIRGraph:
    """Conv, flatten and affine, as another framework would write them."""
    rng = np.random.default_rng(0)
    nodes = {
        "input": nir.Input(np.array([1, 5, 6])),
        "conv": nir.Conv2d((5, 6), rng.normal(size=(2, 1, 3, 3)).astype(np.float32), 2, 1, 1, 1, np.zeros(2)),
        "first": lif(2, 3, 3),
        "flatten": nir.Flatten({"input": np.array([2, 3, 3])}, 0, -1),
        "affine": nir.Affine(rng.normal(size=(4, 18)), rng.normal(size=4)),
        "second": lif(4),
        "linear": nir.Linear(rng.normal(size=(3, 4))),
        "third": lif(3),
        "output": nir.Output(np.array([3])),
    }
    names = list(nodes)
    return nir.NIRGraph(nodes, list(zip(names[:-1], names[1:], strict=True)))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    nir.write(str(tmp_path / "net.nir"), small())
    return tmp_path / "net.nir"


@pytest.fixture(autouse=True)
def quick(forked: Path) -> None:
    """Every file here is read by a fork of one process."""


def refused(path: Path) -> SpikeportError:
    with pytest.raises(SpikeportError) as caught:
        read_nir(path)
    assert "\n" not in str(caught.value)
    return caught.value


def same(a: Graph, b: Graph) -> bool:
    """All but the order of nodes that no edge decides, and the file's hash."""
    if a.nodes.keys() != b.nodes.keys() or sorted(a.edges) != sorted(b.edges):
        return False
    return all(
        type(a.nodes[name]) is type(b.nodes[name])
        and all(np.array_equal(getattr(a.nodes[name], f.name), getattr(b.nodes[name], f.name)) for f in fields(node))
        for name, node in a.nodes.items()
    )


# ---------------------------------------------------------------- what is read


def test_a_file_and_its_graph_are_read_alike(path: Path) -> None:
    assert same(read_nir(path), from_nir(small()))
    assert same(read_nir(path), from_nir(nir.read(path)))


def test_nodes_come_in_data_flow_order_whatever_their_names(path: Path) -> None:
    assert list(read_nir(path).nodes) == [
        *("input", "conv", "first", "flatten", "affine", "second", "linear", "third", "output")
    ]


def test_a_linear_node_has_bias_0(path: Path) -> None:
    node = read_nir(path).nodes["linear"]
    assert isinstance(node, Linear)
    assert node.bias.tolist() == [0, 0, 0]


def test_arrays_are_float64_and_geometry_is_pairs(path: Path) -> None:
    node = read_nir(path).nodes["conv"]
    assert isinstance(node, Conv2d)
    assert node.weight.dtype == np.float64
    assert (node.stride, node.padding, node.dilation, node.groups) == ((2, 2), (1, 1), (1, 1), 1)


def test_only_a_file_has_a_hash(path: Path) -> None:
    import hashlib

    assert read_nir(path).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert from_nir(small()).sha256 == ""


def test_a_nir_graph_is_not_changed() -> None:
    graph = small()
    before = {name: dict(node.to_dict()) for name, node in graph.nodes.items()}
    from_nir(graph)
    assert all(str(node.to_dict()) == str(before[name]) for name, node in graph.nodes.items())


def test_a_file_of_an_older_nir_has_no_v_reset(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        for name in ("first", "second", "third"):
            del file[f"node/nodes/{name}/v_reset"]
    assert same(read_nir(path), from_nir(small()))


def test_grouped_and_non_square_kernels_are_read_right(tmp_path: Path) -> None:
    """nir 1.0.8 infers wrong shapes for both, and refuses such files."""
    weight = np.ones((4, 1, 3, 5))
    nodes = {
        "input": nir.Input(np.array([2, 10, 12])),
        "conv": nir.Conv2d((10, 12), weight, (1, 2), (0, 1), 1, 2, np.zeros(4)),
        "lif": lif(4, 8, 5),
        "output": nir.Output(np.array([4, 8, 5])),
    }
    graph = nir.NIRGraph(nodes, [("input", "conv"), ("conv", "lif"), ("lif", "output")], type_check=False)
    nir.write(str(tmp_path / "net.nir"), graph)
    assert read_nir(tmp_path / "net.nir").shapes()["conv"] == (4, 8, 5)


# ---------------------------------------------------------------- not a NIR file


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    assert str(refused(tmp_path / "net.nir")) == f"{tmp_path}/net.nir: no such file"


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path).what == "no such file"


@pytest.mark.parametrize("content", [b"", b"hello\n", b"\x89HDF\r\n\x1a\n"], ids=["empty", "text", "hdf"])
def test_a_file_of_another_kind_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "net.nir").write_bytes(content)
    error = refused(tmp_path / "net.nir")
    assert isinstance(error, FileError)
    assert (error.what, error.do) == ("is not a readable NIR file", "export it again")


def test_an_hdf5_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "net.nir", "w") as file:
        file["weight"] = [1, 2]
    assert str(refused(tmp_path / "net.nir")) == (
        f"{tmp_path}/net.nir: is not a NIR file (no group /node); write it with nir.write"
    )


def test_files_that_are_taken_for_nir_are_told_apart(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "model.net", "w") as file:
        file.create_group("layer/0")
    assert str(refused(tmp_path / "model.net")) == (
        f"{tmp_path}/model.net: is a lava-dl network, and no NIR file; "
        "convert it: spikeport convert model.net -o net.h5"
    )
    save_program(chain(1, size=2), tmp_path / "net.h5")
    assert refused(tmp_path / "net.h5").what == "is a Program, compiled already, and no NIR file"
    np.savez(tmp_path / "x.npz", spikes=[1])
    assert refused(tmp_path / "x.npz").what == "is a zip file, as of arrays or a bundle, and no NIR file"


def test_a_truncated_file_is_refused_wherever_it_ends(path: Path) -> None:
    data = path.read_bytes()
    for end in [*range(0, 400, 31), *range(400, len(data), len(data) // 150), len(data) - 1]:
        path.write_bytes(data[:end])
        error = refused(path)
        assert isinstance(error, FileError)
        assert error.where == str(path)


# ---------------------------------------------------------------- sound HDF5 with the wrong content


def put(where: str, value: Any) -> Edit:
    def edit(file: h5py.File) -> None:
        if where in file:
            del file[where]
        file[where] = value

    return edit


def drop(where: str) -> Edit:
    def edit(file: h5py.File) -> None:
        del file[where]

    return edit


def poke(where: str, value: float) -> Edit:
    def edit(file: h5py.File) -> None:
        file[where][(0,) * file[where].ndim] = value

    return edit


def link_to_itself(file: h5py.File) -> None:
    file["node/nodes/affine/loop"] = file["node/nodes"]


def huge(file: h5py.File) -> None:
    del file["node/nodes/affine/weight"]
    file.create_dataset("node/nodes/affine/weight", (2**20, 2**20), "f4", chunks=(64, 64))


def committed_type(file: h5py.File) -> None:
    file["node/nodes/affine/kind"] = np.dtype("<i4")


N = "node/nodes"
EDGES = [[b"input", b"conv"], [b"conv", b"first"], [b"first", b"flatten"], [b"flatten", b"affine"]]
EDGES += [[b"affine", b"second"], [b"second", b"linear"], [b"linear", b"third"], [b"third", b"output"]]
CONTENT: dict[str, tuple[Edit, type[SpikeportError], str]] = {
    "unknown node": (
        put(f"{N}/first/type", "ALIF"),
        UnsupportedNode,
        "first: node type (ALIF) is not one of Input, Output, Flatten, Linear, Affine, Conv1d, Conv2d, "
        "ConvTranspose2d, Unflatten, SumPool2d, AvgPool2d, Delay, Scale, Threshold, I, IF, LI, LIF, CubaLI, CubaLIF; "
        "replace the node",
    ),
    "unknown field": (
        put(f"{N}/first/refractory", 2.0),
        DeployError,
        "first: LIF field (refractory) is not one of r, tau, v_leak, v_reset, v_threshold; rename it or remove it",
    ),
    "another node's fields": (put(f"{N}/first/type", "CubaLIF"), DeployError, "first: CubaLIF field (tau) is not one"),
    "nested graph without nodes": (
        put(f"{N}/first/type", "NIRGraph"),
        DeployError,
        "first: lacks nodes or edges; export it again",
    ),
    "no type": (drop(f"{N}/conv/type"), UnsupportedNode, "conv: node type (missing) is not one of"),
    "array for a node": (put(f"{N}/extra", 3.0), UnsupportedNode, "extra: node type (nothing) is not one of"),
    "no nodes": (
        drop(N),
        DeployError,
        "graph: lacks nodes or edges; export it again; nir.write leaves such a file where it fails",
    ),
    "no edges": (
        drop("node/edges"),
        DeployError,
        "graph: lacks nodes or edges; export it again; nir.write leaves such a file where it fails",
    ),
    "no weight": (drop(f"{N}/affine/weight"), DeployError, "affine: Affine lacks (weight); export it again"),
    "no stride": (drop(f"{N}/conv/stride"), DeployError, "conv: Conv2d lacks (stride); export it again"),
    "no tau": (drop(f"{N}/first/tau"), DeployError, "first: LIF lacks (tau); export it again"),
    "no shape": (drop(f"{N}/input/shape"), DeployError, "input: Input lacks (shape); export it again"),
    "no axes": (drop(f"{N}/flatten/end_dim"), DeployError, "flatten: Flatten lacks (end_dim); export it again"),
    "NaN weight": (
        poke(f"{N}/affine/weight", np.nan),
        DeployError,
        "affine: weight (NaN or infinity) is not a finite number; train or export it again",
    ),
    "infinite bias": (
        poke(f"{N}/affine/bias", np.inf),
        DeployError,
        "affine: bias (NaN or infinity) is not a finite number; train or export it again",
    ),
    "NaN threshold": (
        poke(f"{N}/second/v_threshold", np.nan),
        DeployError,
        "second: v_threshold (NaN or infinity) is not a finite number; train or export it again",
    ),
    "weight of text": (
        put(f"{N}/affine/weight", "heavy"),
        DeployError,
        "affine: weight type (<U5, 1 values) is not numbers",
    ),
    "complex weight": (
        put(f"{N}/affine/weight", np.ones((4, 18), complex)),
        DeployError,
        "affine: weight type (complex128, 72 values) is not numbers",
    ),
    "empty weight": (
        put(f"{N}/affine/weight", np.ones((0, 18))),
        DeployError,
        "affine: weight type (float64, 0 values) is not numbers",
    ),
    "weight with three axes": (
        put(f"{N}/affine/weight", np.ones((1, 4, 18))),
        DeployError,
        "affine: weight shape ((1, 4, 18)) does not have 2 axes",
    ),
    "kernel with two axes": (
        put(f"{N}/conv/weight", np.ones((4, 18))),
        DeployError,
        "conv: weight shape ((4, 18)) does not have 4 axes",
    ),
    "bias of another shape": (
        put(f"{N}/affine/bias", np.ones(5)),
        DeployError,
        "affine: bias shape ((5,)) is not (4,)",
    ),
    "weight that does not fit": (
        put(f"{N}/affine/weight", np.ones((4, 17))),
        DeployError,
        "affine: input shape ((18,)) is not (17,)",
    ),
    "channels that do not fit": (
        put(f"{N}/input/shape", [3, 5, 6]),
        DeployError,
        "conv: input shape ((3, 5, 6)) is not (1, h, w)",
    ),
    "input too small": (
        put(f"{N}/conv/padding", [0, 0]),
        DeployError,
        "first: tau shape ((2, 3, 3)) does not spread over the shape of what feeds the node, (2, 2, 2); "
        "give one value, one for each channel as (c, 1, 1), or the whole shape",
    ),
    "kernel too large": (
        put(f"{N}/input/shape", [1, 5, 0]),
        DeployError,
        "input: shape ([1, 5, 0]) is not positive sizes",
    ),
    "kernel beyond the input": (
        put(f"{N}/conv/dilation", [9, 9]),
        DeployError,
        "conv: kernel ([3, 3]) exceeds the padded input (1, 5, 6)",
    ),
    "neurons that do not fit": (
        put(f"{N}/second/tau", np.ones(4)[:2]),
        DeployError,
        "second: tau shape ((2,)) does not spread over the shape of what feeds the node, (4,); "
        "give one value, one for each channel as (c, 1, 1), or the whole shape",
    ),
    "negative tau": (
        put(f"{N}/second/tau", -np.ones(4)),
        DeployError,
        "second: tau (-1.0) is not above 0",
    ),
    "stride 0": (
        put(f"{N}/conv/stride", [0, 1]),
        DeployError,
        "conv: convolution (stride (0, 1), padding (1, 1), dilation (1, 1), groups 1) is not a valid geometry",
    ),
    "groups that do not divide": (
        put(f"{N}/conv/groups", 3),
        DeployError,
        "conv: convolution (stride (2, 2), padding (1, 1), dilation (1, 1), groups 3) is not a valid geometry",
    ),
    "padding in words": (
        put(f"{N}/conv/padding", "full"),
        DeployError,
        "conv: padding (full) is not a number, same or valid; write the padding as numbers",
    ),
    "stride of three": (
        put(f"{N}/conv/stride", [1, 1, 1]),
        DeployError,
        "conv: stride ([1, 1, 1]) is not one or two integers",
    ),
    "broken stride": (put(f"{N}/conv/stride", 1.5), DeployError, "conv: stride (1.5) is not one or two integers"),
    "broken axis": (put(f"{N}/flatten/start_dim", 0.5), DeployError, "flatten: start_dim (0.5) is not one integer"),
    "axes that do not fit": (
        put(f"{N}/flatten/start_dim", 3),
        DeployError,
        "flatten: flatten axes ((3, -1)) do not fit the shape (2, 3, 3)",
    ),
    "channels only flattened": (
        put(f"{N}/flatten/end_dim", -3),
        DeployError,
        "affine: input shape ((2, 3, 3)) is not (18,)",
    ),
    "edge to nowhere": (
        put("node/edges", [*EDGES, [b"third", b"mars"]]),
        DeployError,
        "graph: edge (third -> mars) names an unknown node mars",
    ),
    "edge from nowhere": (
        put("node/edges", [*EDGES, [b"mars", b"third"]]),
        DeployError,
        "graph: edge (mars -> third) names an unknown node mars",
    ),
    "edge twice": (
        put("node/edges", [*EDGES, EDGES[0]]),
        DeployError,
        "graph: edge (input -> conv) is listed twice; double the weights behind it, or remove one of the two",
    ),
    "edges of three": (
        put("node/edges", [[b"a", b"b", b"c"]]),
        DeployError,
        "graph: edges of shape ((1, 3)) are not pairs of names",
    ),
    "edges in a row": (put("node/edges", [b"a", b"b"]), DeployError, "graph: edges of shape ((2,)) are not pairs of"),
    "loop that does not fit": (
        put("node/edges", [*EDGES, [b"third", b"affine"]]),
        DeployError,
        "affine: input shape ((3,)) is not (18,)",
    ),
    "loop that nothing feeds": (
        put("node/edges", [*EDGES[:5], EDGES[7], [b"second", b"third"], [b"linear", b"linear"]]),
        DeployError,
        "graph: loop (linear) is not fed from outside; connect an input",
    ),
    "sources of unequal shape": (
        put("node/edges", [*EDGES, [b"second", b"third"]]),
        DeployError,
        "third: sources of unequal shape ({'linear': (3,), 'second': (4,)})",
    ),
    "node that nothing feeds": (
        put("node/edges", EDGES[1:]),
        DeployError,
        "input: is an Input that feeds nothing; connect it, or remove it",
    ),
    "soft link": (
        put(f"{N}/affine/bias", h5py.SoftLink("/node/nodes/conv/bias")),
        FileError,
        "{path}: /node/nodes/affine/bias links elsewhere; export it again",
    ),
    "link out of the file": (
        put(f"{N}/affine/bias", h5py.ExternalLink("/etc/passwd", "/x")),
        FileError,
        "{path}: /node/nodes/affine/bias links elsewhere; export it again",
    ),
    "group inside itself": (
        link_to_itself,
        FileError,
        "{path}: /node/nodes/affine/loop is an object that has another name too; export it again",
    ),
    "array beyond all memory": (
        huge,
        FileError,
        "{path}: /node/nodes/affine/weight (1099511627776 values) exceed 67108864 in the file",
    ),
    "a type, not an array": (committed_type, FileError, "{path}: /node/nodes/affine/kind is not a group or an array"),
    "no group at the root": (put("node", 3), FileError, "{path}: is not a NIR file (no group /node)"),
}


@pytest.mark.parametrize(("edit", "kind", "message"), CONTENT.values(), ids=CONTENT)
def test_wrong_content_is_refused_by_name(path: Path, edit: Edit, kind: type[SpikeportError], message: str) -> None:
    with h5py.File(path, "r+") as file:
        edit(file)
    error = refused(path)
    assert isinstance(error, kind)
    assert str(error).startswith(message.replace("{path}", str(path)))


def test_an_array_outside_the_file_is_refused(path: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(bytes(8 * 4))
    with h5py.File(path, "r+") as file:
        del file[f"{N}/affine/bias"]
        file.create_dataset(f"{N}/affine/bias", (4,), "f8", external=[(tmp_path / "secret", 0, 32)])
    assert refused(path).what == "/node/nodes/affine/bias lies in another file"


def test_an_unsupported_node_carries_its_type() -> None:
    class Adaptive(nir.LIF):
        pass

    node = Adaptive(*np.ones((4, 3)))
    graph = nir.NIRGraph.from_list(nir.Input(np.array([3])), node, nir.Output(np.array([3])))
    with pytest.raises(UnsupportedNode) as caught:
        from_nir(graph)
    assert (caught.value.where, caught.value.got) == ("adaptive", "Adaptive")
