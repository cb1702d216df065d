"""What lies outside docs/: files that a page shows, and links that lead there.

A page shows a file by an `include` of it. Files link to each other as they lie in the repository; on the site such a
link leads to the page that shows its target, and becomes plain text where none does.
"""

import os
import re
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

INCLUDE = re.compile(r"^```\{include\} (?P<file>\S+)\n(?::heading-offset: (?P<offset>\d)\n)?```$", re.MULTILINE)
LINK = re.compile(r"\[(?P<text>[^\]]*)\]\((?P<target>[^)\s#:]+)(?P<anchor>#[^)\s]*)?\)")
HEADING = re.compile(r"^(?=#)", re.MULTILINE)


def setup(app: Sphinx) -> ExtensionMetadata:
    app.connect("source-read", _read)
    return {"parallel_read_safe": True}


def _read(app: Sphinx, docname: str, source: list[str]) -> None:
    docs, page = Path(app.srcdir), Path(app.env.doc2path(docname))
    if page.suffix != ".md":
        return
    shown = _shown(docs)

    def include(match: re.Match[str]) -> str:
        file = (page.parent / match["file"]).resolve()
        app.env.note_dependency(file)
        text = LINK.sub(lambda link: _link(link, file, page, docs, shown), file.read_text())
        return HEADING.sub("#" * int(match["offset"] or 0), text)

    own = LINK.sub(lambda link: _link(link, page, page, docs, shown), source[0])
    source[0] = INCLUDE.sub(include, own)


def _shown(docs: Path) -> dict[Path, Path]:
    """Files outside docs/, and the pages that show them."""
    pages = [page for page in docs.rglob("*.md") if not page.is_relative_to(docs / "_build")]
    return {
        (page.parent / match["file"]).resolve(): page for page in pages for match in INCLUDE.finditer(page.read_text())
    }


def _link(link: re.Match[str], file: Path, page: Path, docs: Path, shown: dict[Path, Path]) -> str:
    """A link of `file` as it reads on `page`; one to nowhere stays, for Sphinx to complain."""
    target = (file.parent / link["target"]).resolve()
    if not target.exists():
        return link[0]
    if not target.is_relative_to(docs):
        if target not in shown:
            return link["text"]
        target = shown[target]
    return f"[{link['text']}]({os.path.relpath(target, page.parent)}{link['anchor'] or ''})"
