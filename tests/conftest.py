"""What all tests share: one seed, one thread, and Hypothesis without a clock."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported; pytest's workers share the cores

import numpy as np
import pytest
from hypothesis import settings

settings.register_profile("spikeport", deadline=None, derandomize="CI" in os.environ, print_blob=True)
settings.load_profile("spikeport")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--target", choices=("sim", "lava", "loihi"), help="where tests/target runs; a board is never skipped"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Without its board `--target loihi` fails at once: what passes there has run on a chip."""
    if config.getoption("--target") == "loihi":
        from spikeport.deploy.loihi_machine import chip_env  # here: most tests need nothing of it
        from spikeport.errors import LavaMissing

        try:
            chip_env()
        except LavaMissing as missing:
            raise pytest.UsageError(str(missing)) from missing


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20251104)
