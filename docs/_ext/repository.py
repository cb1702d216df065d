"""What lies outside docs/: files that a page shows, and links that lead there.

A page shows a file by an `include` of it. Files link to each other as they lie in the repository; on the site such a
link leads to where a page shows its target, and becomes plain text where none does. A link that is called by its
file's name, as `[train.md](train.md)`, is called by the title of what it leads to.
"""

import os
import re
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

INCLUDE = re.compile(r"^```\{include\} (?P<file>\S+)\n(?::heading-offset: (?P<offset>\d)\n)?```$", re.MULTILINE)
LINK = re.compile(r"\[(?P<text>[^\]]*)\]\((?P<target>[^)\s#:]+)(?P<anchor>#[^)\s]*)?\)")
HEADING = re.compile(r"^(?=#)", re.MULTILINE)
TITLE = re.compile(r"^#+ (.*)$", re.MULTILINE)


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


def _shown(docs: Path) -> dict[Path, tuple[Path, str]]:
    """Files outside docs/, the pages that show them, and the headings under which they do, as anchors."""
    found = {}
    for page in docs.rglob("*.md"):
        if not page.is_relative_to(docs / "_build"):
            text = page.read_text()
            for match in INCLUDE.finditer(text):
                file = (page.parent / match["file"]).resolve()
                headings = TITLE.findall(file.read_text() if match["offset"] else text[: match.start()])
                found[file] = page, f"#{_slug(headings[0 if match['offset'] else -1])}" if headings else ""
    return found


def _slug(heading: str) -> str:
    """The anchor that GitHub and MyST give a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _link(link: re.Match[str], file: Path, page: Path, docs: Path, shown: dict[Path, tuple[Path, str]]) -> str:
    """A link of `file` as it reads on `page`; one to nowhere stays, for Sphinx to complain."""
    target, text, anchor = (file.parent / link["target"]).resolve(), link["text"], link["anchor"] or ""
    if not target.exists():
        return link[0]
    if Path(text).name == target.name and not anchor:
        text = ""
    if not target.is_relative_to(docs):
        if target not in shown:
            return link["text"]
        target, under = shown[target]
        anchor = anchor or under
    return f"[{text}]({os.path.relpath(target, page.parent)}{anchor})"
