"""Damaged and hostile NIR files, made from sound ones: bytes changed anywhere, or sound HDF5 with wrong content."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

Rng = np.random.Generator
N = "node/nodes"
HUGE = [10**6, 2**31 - 1, 2**31, 2**40, 10**12, 2**62, 2**63 - 1, -1, -(2**31), 0]
NUMBERS = [np.nan, np.inf, -np.inf, 0.0, -0.002, 1e300, -1e300, 5e-324, 1e-30, 1e38, 2.0**53]
NAMES = [
    "",
    ".",
    "a.b",
    "input",
    "lif\n1",
    "\x1b[31m",
    "é",
    "名前",
    "x" * 300,
    "a" * 5000,
    "../..",
    "%s{0}",
    "[bold]",
    "\u202e",
]


# ---------------------------------------------------------------- bytes


def flip_bit(data: bytearray, rng: Rng) -> None:
    data[rng.integers(len(data))] ^= 1 << rng.integers(8)


def flip_bits(data: bytearray, rng: Rng) -> None:
    for _ in range(rng.integers(2, 64)):
        flip_bit(data, rng)


def set_byte(data: bytearray, rng: Rng) -> None:
    data[rng.integers(len(data))] = rng.choice([0, 1, 0x7F, 0x80, 0xFF])


def set_word(data: bytearray, rng: Rng) -> None:
    """A length, an address or a count of HDF5 becomes another."""
    at = 8 * rng.integers(len(data) // 8)
    data[at : at + 8] = int(rng.choice([0, 1, 2**16, 2**31, 2**32, 2**63, 2**64 - 1, len(data)])).to_bytes(9, "little")[
        :8
    ]


def truncate(data: bytearray, rng: Rng) -> None:
    del data[rng.integers(len(data)) :]


def zero_block(data: bytearray, rng: Rng) -> None:
    at, n = rng.integers(len(data)), rng.integers(1, 512)
    data[at : at + n] = bytes(len(data[at : at + n]))


def move_block(data: bytearray, rng: Rng) -> None:
    a, b, n = rng.integers(len(data), size=3) // 8 * 8
    block = data[a : a + n % 1024]
    data[b : b + len(block)] = block


def drop_block(data: bytearray, rng: Rng) -> None:
    at = rng.integers(len(data))
    del data[at : at + rng.integers(1, 64)]


BYTES: list[Callable[[bytearray, Rng], None]] = [
    *[flip_bit] * 4,
    *(flip_bits, set_byte, set_word, set_word, truncate, zero_block, move_block, drop_block),
]


# ---------------------------------------------------------------- content


def _pick(file: h5py.File, rng: Rng, kind: type[Any], kinds: str = "") -> str:
    found: list[str] = []
    file.visititems(lambda name, x: found.append(name) if isinstance(x, kind) else None)
    if kinds:
        found = [name for name in found if file[name].dtype.kind in kinds]
    return str(rng.choice(found))


def _put(file: h5py.File, name: str, value: Any, **options: Any) -> None:
    del file[name]
    file.create_dataset(name, data=value, **options)


def drop(file: h5py.File, rng: Rng) -> None:
    del file[_pick(file, rng, object)]


def rename(file: h5py.File, rng: Rng) -> None:
    name = _pick(file, rng, object)
    new = str(rng.choice([x for x in NAMES if x not in ("", ".", "../..")]))
    file.move(name, f"{name.rpartition('/')[0]}/{new}")


def poke(file: h5py.File, rng: Rng) -> None:
    """One number of an array."""
    data = file[_pick(file, rng, h5py.Dataset, "fiu")]
    value = rng.choice(NUMBERS) if data.dtype.kind == "f" else rng.choice([-1, 0, 1, 2, 3, 255, 2**31 - 1])
    with np.errstate(over="ignore"):
        flat = data[()].reshape(-1)
        flat[rng.integers(flat.size)] = np.array(value).astype(data.dtype)
        data[...] = flat.reshape(data.shape)


def fill(file: h5py.File, rng: Rng) -> None:
    """All numbers of an array."""
    data = file[_pick(file, rng, h5py.Dataset, "f")]
    with np.errstate(over="ignore"):
        data[...] = np.array(rng.choice(NUMBERS)).astype(data.dtype)


def reshape(file: h5py.File, rng: Rng) -> None:
    name = _pick(file, rng, h5py.Dataset, "fiu")
    value = file[name][()]
    n = value.size
    choices = [
        value.reshape(-1),
        value.reshape(1, *value.shape),
        value.reshape(n, 1),
        value.reshape(-1)[:-1],
        value[None, ..., None],
    ]
    _put(file, name, choices[rng.integers(len(choices))])


def retype(file: h5py.File, rng: Rng) -> None:
    name = _pick(file, rng, h5py.Dataset, "fiu")
    value = file[name][()]
    dtype = rng.choice(["?", "i1", "u1", "i8", "f2", "f8", "c8", "S8", ">f4", "g"])
    with np.errstate(all="ignore"):
        _put(file, name, value.astype(dtype))


def compound(file: h5py.File, rng: Rng) -> None:
    name = _pick(file, rng, h5py.Dataset)
    choices: list[Any] = [
        np.zeros(3, [("a", "f4"), ("b", "i4")]),
        np.array([file["node"].ref] * 2, dtype=h5py.ref_dtype),
        np.array([b"\x80\xff"], dtype=h5py.string_dtype()),
        np.void(b"1234"),
        h5py.Empty("f4"),
    ]
    ragged = np.empty(2, dtype=h5py.vlen_dtype(np.float32))
    ragged[:] = [np.ones(2, np.float32), np.ones(3, np.float32)]
    choices.append(ragged)
    value = choices[rng.integers(len(choices))]
    dtype = ragged.dtype if value is ragged else None
    _put(file, name, value, dtype=dtype) if dtype is not None else _put(file, name, value)


def text(file: h5py.File, rng: Rng) -> None:
    file_name = _pick(file, rng, h5py.Dataset)
    _put(
        file,
        file_name,
        str(rng.choice(["LIF", "NIRGraph", "Output", "Input", "same", "valid", "CubaLIF", "é", "nan", "1"])),
    )


def huge_header(file: h5py.File, rng: Rng) -> None:
    """A dataset that claims up to 10^12 values and holds none of them."""
    name = _pick(file, rng, h5py.Dataset, "f")
    shape = [(10**12,), (10**6, 10**6), (2**20, 2**20), (2**26 - 1,), (10**4, 10**3), (2**13, 2**13)][rng.integers(6)]
    del file[name]
    file.create_dataset(name, shape, "f4", chunks=(4096,) if len(shape) == 1 else (64, 64))


def huge_shape(file: h5py.File, rng: Rng) -> None:
    name = _pick(file, rng, h5py.Dataset, "iu")
    data = file[name]
    value = np.array(data[()], dtype=np.int64).reshape(-1)
    value[rng.integers(value.size)] = rng.choice(HUGE)
    _put(file, name, value.reshape(data.shape))


def _edges(file: h5py.File) -> list[list[bytes]]:
    return [list(pair) for pair in file["node/edges"][()]]


def rewire(file: h5py.File, rng: Rng) -> None:
    """Edges lost, doubled, turned, dangling; cycles."""
    edges, names = _edges(file), [name.encode() for name in file[N]]
    way = rng.integers(8)
    pick = rng.integers(len(edges))
    if way == 0:
        del edges[pick]
    elif way == 1:
        edges.append(edges[pick])
    elif way == 2:
        edges[pick] = edges[pick][::-1]
    elif way == 3:
        edges[pick][rng.integers(2)] = b"nowhere"
    elif way == 4:
        edges[pick][rng.integers(2)] = b"\xff\xfe"
    else:
        edges += [[rng.choice(names), rng.choice(names)] for _ in range(rng.integers(1, 4))]
    _put(file, "node/edges", edges if edges else np.zeros(0))


def odd_edges(file: h5py.File, rng: Rng) -> None:
    values: list[Any] = [
        3.0,
        "a",
        [b"a"],
        [[1, 2]],
        [[b"a", b"b", b"c"]],
        np.zeros((0, 2)),
        np.zeros((5, 2, 2)),
        np.zeros(0),
    ]
    _put(file, "node/edges", values[rng.integers(len(values))])


def nest(file: h5py.File, rng: Rng) -> None:
    """Graphs within graphs, up to far more than any file has."""
    group = file[N]
    for _ in range(rng.choice([1, 2, 15, 17, 40, 300])):
        inner = group.create_group("deep")
        inner["type"] = "NIRGraph"
        inner["edges"] = np.zeros(0)
        group = inner.create_group("nodes")


def link(file: h5py.File, rng: Rng) -> None:
    name = _pick(file, rng, object)
    way = rng.integers(4)
    target = "/" + _pick(file, rng, object)
    if way == 0:
        target_object = file[target]
        if name in file and not target.startswith("/" + name):
            del file[name]
        file[f"{name}_"] = target_object
    else:
        del file[name]
        file[name] = [h5py.SoftLink(target), h5py.SoftLink("/" + name), h5py.ExternalLink("/etc/passwd", "/x")][way - 1]


def loop_of_groups(file: h5py.File, rng: Rng) -> None:
    group = file[_pick(file, rng, h5py.Group)]
    group["again"] = file["node"]


def many(file: h5py.File, rng: Rng) -> None:
    """Nodes by the thousand, in a row or all in a loop."""
    edges, n = _edges(file), int(rng.choice([50, 500]))
    names = [f"f{k}" for k in range(n)]
    for name in names:
        group = file.create_group(f"{N}/{name}")
        group["type"], group["start_dim"], group["end_dim"] = "Flatten", 0, -1
    row = [[a.encode(), b.encode()] for a, b in zip(names[:-1], names[1:], strict=True)]
    last = edges.pop(rng.integers(len(edges)))
    edges += [*row, [last[0], names[0].encode()], [names[-1].encode(), last[1]]]
    if rng.integers(2):
        edges += [[b.encode(), a.encode()] for a, b in zip(names[:-1], names[1:], strict=True)]
    _put(file, "node/edges", edges)


CONTENT: list[Callable[[h5py.File, Rng], None]] = [
    *(drop, rename, poke, poke, fill, reshape, retype, compound, text, huge_header, huge_shape, huge_shape),
    *(rewire, rewire, odd_edges, nest, link, loop_of_groups, many),
]


def mutated(sound: bytes, path: Path, rng: Rng) -> str:
    """Writes a mutation of a sound file to `path`; gives the mutation's name."""
    if rng.random() < 0.6:
        change, data = BYTES[rng.integers(len(BYTES))], bytearray(sound)
        change(data, rng)
        path.write_bytes(data)
        return change.__name__
    edit = CONTENT[rng.integers(len(CONTENT))]
    path.write_bytes(sound)
    with h5py.File(path, "r+") as file:
        edit(file, rng)
    return edit.__name__
