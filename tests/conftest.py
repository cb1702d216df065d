"""What all tests share: one seed, one thread, and Hypothesis without a clock."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported; pytest's workers share the cores

import numpy as np
import pytest
from hypothesis import settings

settings.register_profile("spikeport", deadline=None, derandomize="CI" in os.environ, print_blob=True)
settings.load_profile("spikeport")


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20251104)
