"""Pages in headless Chromium: what they say on the console, ask of the network, and what a person would notice."""

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape, unescape
from itertools import product
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-extensions",
         "--disable-background-networking", "--hide-scrollbars", "--host-resolver-rules=MAP * ~NOTFOUND",
         "--enable-logging=stderr", "--allow-file-access-from-files")  # fmt: skip
OWN = "file://"
"""In the network keys of what a page asks for; the browser's own requests have none."""
WIDTHS, THEMES = (390, 1280), ("light", "dark")
SCRIPT = Path(__file__).with_name("chromium_look.js")

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on PATH: apt-get install chromium")


@dataclass(frozen=True)
class View:
    """A page in a window of some width, in a theme."""

    page: str
    width: int
    dark: bool
    sections: list[str]
    wide: list[str]
    """Elements that reach beyond the window and are in no frame that scrolls, as `tag.class`."""
    faint: list[str]
    """Texts whose contrast with what is behind them is below 4.5."""
    unfocused: list[str]
    """What a keyboard reaches without that being seen, or out of the order of the page."""


@dataclass(frozen=True)
class Seen:
    console: list[str]
    requests: list[str]
    """Addresses that the pages asked the network for."""
    views: list[View]


def look(pages: Mapping[str, Path], folder: Path) -> Seen:
    """Opens all pages, in every width and theme, in one browser with a fresh profile in `folder`."""
    shown = list(product(pages, WIDTHS, THEMES))
    frames = "\n".join(
        f'<iframe src="{escape(pages[name].resolve().as_uri())}" '
        f'style="width:{width}px;height:4000px;border:0;color-scheme:{theme}"></iframe>'
        for name, width, theme in shown
    )
    frame, log = folder / "frame.html", folder / "net.json"
    frame.write_text(f'<!doctype html><meta charset="utf-8">{frames}<pre></pre><script>{SCRIPT.read_text()}</script>')
    ran = browse(frame, folder, f"--log-net-log={log}", "--dump-dom")
    found = re.search(r"<pre>(.+?)</pre>", ran.stdout, re.DOTALL)
    assert found is not None, ran.stdout[-500:]
    views = [View(name, **one) for (name, *_), one in zip(shown, json.loads(unescape(found[1])), strict=True)]
    assert [(view.width, view.dark) for view in views] == [(width, theme == "dark") for _, width, theme in shown]
    return Seen(re.findall(r"CONSOLE[^\]]*\] (.*)", ran.stderr), _requests(json.loads(log.read_text())), views)


def browse(page: Path, folder: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    assert CHROMIUM is not None
    command = [CHROMIUM, *FLAGS, f"--user-data-dir={folder / 'profile'}", *flags, page.resolve().as_uri()]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    return ran


def _requests(log: dict) -> list[str]:
    found = set()
    for event in log["events"]:
        given = event.get("params", {})
        keys = "".join(str(given.get(f"network_{kind}_key", "")) for kind in ("isolation", "anonymization"))
        if OWN in keys:
            found.add(str(given.get("url", given.get("host", "unknown"))))
    return sorted(found)
