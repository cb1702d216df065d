"""Lava for a test that compares with it, or a skip that says so."""

import pytest

from spikeport.deploy.lava_env import LavaEnv, find_lava
from spikeport.errors import LavaMissing


def lava_or_skip(download: bool = True) -> LavaEnv:
    """As `find_lava`."""
    try:
        return find_lava(download=download)
    except LavaMissing as missing:
        pytest.skip(f"NOT COMPARED WITH LAVA: {missing}")
