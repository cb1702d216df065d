"""Arrays that compiled code uses without counting who uses them.

numba counts the references to an array with a locked addition wherever one is passed on or sliced. In a loop whose
bodies take a microsecond these are a third of the time.
"""

from typing import Any, cast

from numba import types

from spikeport.sim.engine.vectors import cgutils, intrinsic


@intrinsic
def borrowed(typing_context, value):  # type: ignore[no-untyped-def]
    """The same arrays, tuples of them included, and whatever else is in there; the caller's must outlive them."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _without_owner(context, builder, value, arguments[0])

    return value(value), generate


def _without_owner(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    if isinstance(kind, types.Array):
        array = context.make_array(kind)(context, builder, value)
        array.meminfo = cgutils.get_null_value(array.meminfo.type)
        return array._getvalue()
    if isinstance(kind, types.BaseTuple):
        kinds: list[Any] = list(iter(cast(Any, kind)))
        items = cgutils.unpack_tuple(builder, value, len(kinds))
        parts = [_without_owner(context, builder, k, item) for k, item in zip(kinds, items, strict=True)]
        return context.make_tuple(builder, kind, parts)
    return value
