"""What the tests that run lava-dl share."""

import pytest

from spikeport.deploy.lava_env import LavaEnv
from tests.lava import lava_or_skip


@pytest.fixture(scope="session")
def env() -> LavaEnv:
    return lava_or_skip()
