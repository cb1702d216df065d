"""`Part`: some samples of a data set, and the hash that tells them from others."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Part:
    """Samples that follow each other in a data set."""

    inputs: Mapping[str, NDArray[Any]]
    """Integers `(T, n, *shape)` by input; of an image that stands still a view, one image for all steps."""
    labels: NDArray[np.integer] | None
    """`(n,)`"""

    def __len__(self) -> int:
        return next(iter(self.inputs.values())).shape[1]

    def sha256(self) -> str:
        """Of values, types and shapes; an image that stands still counts once, so written out it is another."""
        digest = hashlib.sha256()
        arrays = dict(sorted(self.inputs.items()))
        if self.labels is not None:
            arrays["labels of samples"] = self.labels.astype(np.int64)
        for name, x in arrays.items():
            digest.update(f"{len(name)} {name} {x.dtype.kind}{x.dtype.itemsize} {x.shape};".encode())
            once = x[:1] if x.ndim > 1 and x.strides[0] == 0 else x
            digest.update(np.ascontiguousarray(once, once.dtype.newbyteorder("<")).reshape(-1).view(np.uint8).data)
        return digest.hexdigest()
