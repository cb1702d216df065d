"""Numbers of a file, as they may be."""

import numpy as np
import pytest

from spikeport.deploy.reader.fields import Fields
from spikeport.errors import DeployError


@pytest.mark.parametrize(
    "value",
    [
        np.array([0x7F800001], np.uint32).view(np.float32),  # a NaN that signals: the processor flags its cast
        np.array([np.nan, 1.0]),
        np.array([np.inf], np.float32),
        np.array([np.finfo(np.longdouble).max]),
    ],
)
def test_what_is_no_finite_number_is_refused_without_a_warning(value: np.ndarray) -> None:
    fields = Fields("n", "Linear", {"weight": value}, [])
    with pytest.raises(DeployError, match=r"n: weight \(NaN or infinity\) is not a finite number"):
        fields.floats("weight")
