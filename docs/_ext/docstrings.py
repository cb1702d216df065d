"""How our docstrings differ from napoleon's idea of them: what follows an attribute is a sentence, not a type.

Napoleon reads `name: text` in the first line of an attribute's docstring as a type and its description.
"""

from typing import Any

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

BEFORE_NAPOLEON = 400


def setup(app: Sphinx) -> ExtensionMetadata:
    app.connect("autodoc-process-docstring", _keep_colons, priority=BEFORE_NAPOLEON)
    return {"parallel_read_safe": True}


def _keep_colons(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    if what in ("attribute", "data", "property"):
        lines[:0] = ["..", ""]  # an empty comment: napoleon looks at this line, readers do not see it
