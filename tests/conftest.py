"""What all tests share: one seed, one thread, and Hypothesis without a clock."""

import os
import signal

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported; pytest's workers share the cores
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # in the background of a shell; children would inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)

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


@pytest.fixture(autouse=True)
def _uncovered(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.node.get_closest_marker("uncovered"):
        monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20251104)
