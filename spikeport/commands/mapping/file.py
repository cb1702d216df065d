"""`mapping.json`: which core has which neurons, and what each block is charged; written, and read again."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from spikeport.atomic import replacing
from spikeport.chip import Chip
from spikeport.cores import Cut
from spikeport.deploy.cores import CoreMap, core_map, single
from spikeport.deploy.cores.activity import assumed
from spikeport.deploy.cores.loads import limits_of
from spikeport.deploy.cores.problem import Problem, Seated, within
from spikeport.errors import FileError, FileKind, FileMismatch, FileTooLarge, FileUnreadable, no_file
from spikeport.fixed import Ints
from spikeport.neurons import Group
from spikeport.program import Program

_DO = "write it with 'spikeport map NET.H5 -o', of a Program of these shapes"
MOST_BYTES = 2**28


def mapping_file(one: CoreMap) -> bytes:
    """A group is cut into blocks of `block` along the axes of `shape`, channels first, then rows, then columns; `cores`
    has the number of each block's core, and `loads` what each block takes of a core's limits."""
    limits = limits_of(one.chip)
    groups = []
    for placement in one:
        cut, first = placement.cut, one.where.first[placement.group]
        said: dict[str, Any] = {"name": placement.group, "shape": cut.shape, "block": cut.block}
        said["cores"] = one.seats[first : first + cut.cores].tolist()
        said["loads"] = {resource: placement.loads[resource].tolist() for resource in limits}
        groups.append(said)
    head = {"chip": one.chip.name, "cores": one.cores, "limits": limits, "groups": groups}
    return (json.dumps(head, indent=1) + "\n").encode("ascii")


def write_mapping(path: Path, one: CoreMap) -> None:
    """The file is there whole or not at all."""
    with replacing(path) as name:
        Path(name).write_bytes(mapping_file(one))


def read_mapping(path: Path, program: Program, chip: Chip) -> CoreMap:
    """A mapping that a file states; what blocks are charged is found anew.

    Raises:
        FileError: the file is no mapping.
        FileMismatch: it is one of another Program or chip, or a core cannot have its blocks together.
    """
    document = _document(path)
    if document.get("chip") != chip.name:
        got, do = document.get("chip"), "map for this chip, or give 'spikeport map' the other as --target"
        raise FileMismatch(str(path), "chip", got=got, relation="is not", limit=chip.name, do=do)
    groups = document.get("groups")
    if not isinstance(groups, list) or not all(isinstance(said, dict) for said in groups):
        raise FileError(str(path), "groups", relation="are not", limit="a list of objects", do=_DO)
    got, names = [said.get("name") for said in groups], [group.name for group in program.groups]
    if got != names:
        raise FileMismatch(str(path), "groups", got=got, relation="are not", limit=", ".join(names), do=_DO)
    cuts = {g.name: _cut(path, said, program, chip, g) for g, said in zip(program.groups, groups, strict=True)}
    cores = max(chip.cores_per_chip * chip.chips_per_system, sum(cut.cores for cut in cuts.values()))
    seats = np.concatenate([list(_seats(path, s, cuts[s["name"]], cores)) for s in groups]).astype(np.int64)
    found = core_map(program, chip, cuts, seats)
    _check_shared(path, program, found)
    return found


def _document(path: Path) -> Mapping[str, Any]:
    if not path.is_file():
        raise no_file(path)
    if (size := path.stat().st_size) > MOST_BYTES:
        raise FileTooLarge(str(path), "bytes", got=size, relation="are above", limit=MOST_BYTES, do=_DO)
    try:
        found = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise FileUnreadable(str(path), "is not JSON", got=str(error).splitlines()[0], do=_DO) from error
    if not isinstance(found, dict):
        raise FileKind(str(path), "is not a mapping", do=_DO)
    return found


def _cut(path: Path, said: Mapping[str, Any], program: Program, chip: Chip, group: Group) -> Cut:
    """An image keeps its axes, anything else is a run; blocks of an image on a Loihi 2 are 2^k columns wide."""
    one = single(program, chip, group)
    if said.get("shape") != list(one.shape):
        got, limit = said.get("shape"), list(one.shape)
        raise FileMismatch(str(path), f"shape of {group.name}", got=got, relation="is not", limit=limit, do=_DO)
    block = said.get("block")
    if not isinstance(block, list) or len(block) != 3 or not all(type(b) is int and b > 0 for b in block):
        raise FileError(str(path), f"block of {group.name}", got=block, relation="is not", limit="3 sizes", do=_DO)
    most = [1 << (n - 1).bit_length() if one.padded and k == 2 else n for k, n in enumerate(one.shape)]
    if any(b > limit for b, limit in zip(block, most, strict=True)) or (one.padded and block[2] & (block[2] - 1)):
        allowed = f"at most {most}" + ", columns a power of two" * one.padded
        raise FileMismatch(str(path), f"block of {group.name}", got=block, relation="is not", limit=allowed, do=_DO)
    return replace(one, block=(block[0], block[1], block[2]))


def _seats(path: Path, said: Mapping[str, Any], cut: Cut, limit: int) -> Iterator[int]:
    """Numbers of cores, below a limit."""
    cores, where = said.get("cores"), f"cores of {said['name']}"
    if not isinstance(cores, list) or len(cores) != cut.cores:
        got, wanted = len(cores) if isinstance(cores, list) else cores, f"a list of {cut.cores}"
        raise FileError(str(path), where, got=got, relation="are not", limit=wanted, do=_DO)
    for core in cores:
        if type(core) is not int or not 0 <= core < limit:
            raise FileError(str(path), where, got=core, relation="is not", limit=f"0 to {limit - 1}", do=_DO)
        yield core


def _check_shared(path: Path, program: Program, one: CoreMap) -> None:
    """What blocks that share a core ask for together; a block that is alone is left to the design rules."""
    problem = Problem(program, one.chip, assumed(program))
    seated = Seated(one.where.cuts, one.where.of_block)
    shared = np.bincount(seated.core) > 1
    kinds = problem.all_kinds(seated.cuts)
    least, most = _extremes(seated.core, kinds)
    for wrong, what in (
        (shared & ~within(problem.used(seated), problem.limits), "has more blocks than it holds"),
        (least != most, "has blocks that cannot share one"),
    ):
        if wrong.any():
            core = int(wrong.argmax())
            got = one.where.groups[core]
            do = "see docs/howto/mapping.md for what a core holds"
            raise FileMismatch(str(path), f"core {one.where.numbers[core]}", got=got, relation=what, do=do)


def _extremes(core: Ints, values: Ints) -> tuple[Ints, Ints]:
    """Of each core."""
    least, most = np.full(int(core.max()) + 1, values.max()), np.full(int(core.max()) + 1, values.min())
    np.minimum.at(least, core, values)
    np.maximum.at(most, core, values)
    return least, most
