"""Vectors for compiled code, as wide as the machine likes.

numba leaves it to LLVM whether a loop becomes vector code, and whether it does changes with the processor. Here it is
written: `Lanes` are LLVM's own vectors of a fixed length, which every processor breaks into the registers that it has.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from llvmlite import ir
from numba.core import cgutils as _cgutils
from numba.extending import intrinsic as _intrinsic

Builder: TypeAlias = Any
intrinsic: Any = _intrinsic
cgutils: Any = _cgutils
"""numba's own, without its types: they ask for the context of an intrinsic, which no caller gives."""
I1, I8, I16, I32, I64 = (ir.IntType(bits) for bits in (1, 8, 16, 32, 64))


class Lanes:
    """A vector of signed integers; operators act lane by lane and wrap, `>>` keeps the sign, comparisons give bits."""

    def __init__(self, builder: Builder, value: Any) -> None:
        self.builder, self.value = builder, value

    def _same(self, other: "Lanes | int") -> Any:
        if isinstance(other, Lanes):
            return other.value
        return ir.Constant(self.value.type, [other] * self.value.type.count)

    def _do(self, instruction: str, other: "Lanes | int") -> "Lanes":
        return Lanes(self.builder, getattr(self.builder, instruction)(self.value, self._same(other)))

    def _compare(self, how: str, other: "Lanes | int") -> "Lanes":
        return Lanes(self.builder, self.builder.icmp_signed(how, self.value, self._same(other)))

    def __add__(self, other: "Lanes | int") -> "Lanes":
        return self._do("add", other)

    def __sub__(self, other: "Lanes | int") -> "Lanes":
        return self._do("sub", other)

    def __mul__(self, other: "Lanes | int") -> "Lanes":
        return self._do("mul", other)

    def __and__(self, other: "Lanes | int") -> "Lanes":
        return self._do("and_", other)

    def __or__(self, other: "Lanes | int") -> "Lanes":
        return self._do("or_", other)

    def __lshift__(self, bits: "Lanes | int") -> "Lanes":
        return self._do("shl", bits)

    def __rshift__(self, bits: "Lanes | int") -> "Lanes":
        return self._do("ashr", bits)

    def __gt__(self, other: "Lanes | int") -> "Lanes":
        return self._compare(">", other)

    def __lt__(self, other: "Lanes | int") -> "Lanes":
        return self._compare("<", other)

    def differs(self, other: "Lanes") -> "Lanes":
        return self._compare("!=", other)

    def where(self, yes: "Lanes | int", no: "Lanes") -> "Lanes":
        """`yes` in the lanes whose bit is set, `no` in the others."""
        return Lanes(self.builder, self.builder.select(self.value, no._same(yes), no.value))

    def widened(self, to: ir.IntType) -> "Lanes":
        return Lanes(self.builder, self.builder.sext(self.value, ir.VectorType(to, self.value.type.count)))

    def bits(self) -> Any:
        """A vector of bits as one integer, the first lane lowest."""
        return self.builder.bitcast(self.value, ir.IntType(self.value.type.count))


def splat(builder: Builder, scalar: Any, count: int) -> Lanes:
    """The same value in every lane."""
    empty = ir.Constant(ir.VectorType(scalar.type, count), ir.Undefined)
    one = builder.insert_element(empty, scalar, ir.Constant(I32, 0))
    return Lanes(builder, builder.shuffle_vector(one, empty, ir.Constant(ir.VectorType(I32, count), [0] * count)))


def data(context: Any, builder: Builder, kind: Any, array: Any) -> Any:
    """Pointer to the first entry of a numba array."""
    return context.make_array(kind)(context, builder, array).data


def load(builder: Builder, pointer: Any, at: Any, item: ir.IntType, count: int) -> Lanes:
    """`count` entries of an array from `at` on."""
    value = builder.load(_cast(builder, pointer, at, item, count))
    value.align = item.width // 8
    return Lanes(builder, value)


def store(builder: Builder, lanes: Lanes, pointer: Any, at: Any) -> None:
    kind = lanes.value.type
    builder.store(lanes.value, _cast(builder, pointer, at, kind.element, kind.count)).align = kind.element.width // 8


def take(builder: Builder, pointer: Any, at: Any, mask: Lanes | None, item: ir.IntType, count: int) -> Lanes:
    """As `load`; zeros where the mask's bit is not set, and nothing is read there."""
    if mask is None:
        return load(builder, pointer, at, item, count)
    kind, address = ir.VectorType(item, count), _cast(builder, pointer, at, item, count)
    call = _masked(builder, "load", kind, kind, [address.type, I32, mask.value.type, kind])
    align = ir.Constant(I32, item.width // 8)
    return Lanes(builder, builder.call(call, [address, align, mask.value, ir.Constant(kind, None)]))


def put(builder: Builder, lanes: Lanes, pointer: Any, at: Any, mask: Lanes | None) -> None:
    """As `store`; where the mask's bit is not set nothing is written."""
    if mask is None:
        store(builder, lanes, pointer, at)
        return
    kind = lanes.value.type
    address = _cast(builder, pointer, at, kind.element, kind.count)
    call = _masked(builder, "store", kind, ir.VoidType(), [kind, address.type, I32, mask.value.type])
    builder.call(call, [lanes.value, address, ir.Constant(I32, kind.element.width // 8), mask.value])


def _cast(builder: Builder, pointer: Any, at: Any, item: ir.IntType, count: int) -> Any:
    return builder.bitcast(builder.gep(pointer, [at]), ir.VectorType(item, count).as_pointer())


def _masked(builder: Builder, what: str, kind: Any, gives: Any, takes: list[Any]) -> Any:
    name = f"llvm.masked.{what}.v{kind.count}i{kind.element.width}.p0"
    return cgutils.get_or_insert_function(builder.module, ir.FunctionType(gives, takes), name)


def in_blocks(builder: Builder, n: Any, count: int, body: Callable[[Any, Lanes | None], None]) -> None:
    """`body(i, None)` for each whole block of `count` entries from i on; `body(i, mask)` for the rest, if any."""
    rest = builder.and_(n, ir.Constant(I64, count - 1))
    whole = builder.sub(n, rest)
    with cgutils.for_range_slice(builder, ir.Constant(I64, 0), whole, ir.Constant(I64, count), I64) as (i, _):
        body(i, None)
    with builder.if_then(builder.icmp_signed(">", rest, ir.Constant(I64, 0))):
        places = Lanes(builder, ir.Constant(ir.VectorType(I32, count), list(range(count))))
        body(whole, places < splat(builder, builder.trunc(rest, I32), count))
