"""The line that a command ends with."""

import re

from spikeport.errors.catalogue import CATALOGUE


def said(line: str) -> str:
    """What stands behind the code, which is one of the catalogue's."""
    found = re.match(r"error (SP\d{3}): ", line)
    assert found and found[1] in CATALOGUE, line
    return line[found.end() :]
