"""A page that is read as a browser would, and held to need nothing but itself."""

import re
from html.parser import HTMLParser

VOID = {"meta", "br", "img", "link"}


class Page(HTMLParser):
    """Collects tags, ids, attributes and text; fails on a tag that is not closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            elif name in ("href", "xlink:href", "src") or (value and "url(" in value):
                self.links.append(value or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def assert_stands_alone(html: str) -> None:
    """No script, nothing from outside, no id twice, and no reference to an id that there is not."""
    page = Page(html)
    assert len(page.ids) == len(set(page.ids))
    assert "script" not in page.tags
    for link in page.links:
        assert link.startswith(("#", "data:image/png;base64,", "url(#")) or "url(#" in link
        for target in re.findall(r"#([\w-]+)", link if link.startswith(("#", "url")) else ""):
            assert target in page.ids
    without_namespaces = re.sub(r'xmlns(:\w+)?="[^"]*"', "", html)
    assert not re.search(r"https?://|@import|<link", without_namespaces)
