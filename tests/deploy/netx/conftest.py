"""What the tests that run lava-dl share."""

import pytest

from spikeport.deploy.lava_env import LavaEnv, find_lava
from spikeport.errors import LavaMissing


@pytest.fixture(scope="session")
def env() -> LavaEnv:
    try:
        return find_lava()
    except LavaMissing as missing:
        pytest.skip(f"NOT COMPARED WITH LAVA-DL: {missing}")
