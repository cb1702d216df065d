"""How our docstrings differ from what napoleon and reStructuredText expect.

What follows an attribute is a sentence: napoleon would read `name: text` there as a type and its description.
A paragraph that is indented by four spaces is shown as it stands, as in Markdown: formulas and trees.
A signature or an attribute's type says `NDArray`, as the code does, and `...` stands for a default that a dataclass
makes anew each time.
"""

import re
from typing import Any

from docutils.nodes import Node
from sphinx.application import Sphinx
from sphinx.domains.python import PyAttribute
from sphinx.util.typing import ExtensionMetadata

BEFORE_NAPOLEON = 400
ARRAY = re.compile(r"~?numpy\.ndarray\[tuple\[~?typing\.Any, \.\.\.\], ~?numpy\.dtype\[([^\[\]]*)\]\]")
SECTION = re.compile(r"(Args|Returns|Raises|Yields):$")


def setup(app: Sphinx) -> ExtensionMetadata:
    app.connect("autodoc-process-docstring", _prepare, priority=BEFORE_NAPOLEON)
    app.connect("autodoc-process-signature", _signature)
    app.setup_extension("sphinx.domains.python")
    app.add_directive_to_domain("py", "attribute", Attribute, override=True)
    return {"parallel_read_safe": True}


class Attribute(PyAttribute):
    def run(self) -> list[Node]:
        if "type" in self.options:
            self.options["type"] = _short(self.options["type"])
        return super().run()


def _signature(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, signature: str | None, returns: str | None
) -> tuple[str | None, str | None]:
    return (signature and _short(signature).replace("<factory>", "..."), returns and _short(returns))


def _short(types: str) -> str:
    return ARRAY.sub(r"~numpy.typing.NDArray[\1]", types)


def _prepare(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    end = next((i for i, line in enumerate(lines) if SECTION.match(line)), len(lines))
    lines[:end] = _marked(lines[:end])
    if what in ("attribute", "data", "property"):
        lines[:0] = ["..", ""]  # an empty comment: napoleon looks at this line, readers do not see it


def _marked(lines: list[str]) -> list[str]:
    """`::` before each indented block, which is how reStructuredText has it."""
    found: list[str] = []
    inside = False
    for i, line in enumerate(lines):
        indented = line.startswith("    ")
        if indented and not inside and i and not lines[i - 1]:
            found += ["::", ""]
        inside = indented or (inside and not line)
        found.append(line)
    return found
