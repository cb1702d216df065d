"""Pages in headless Chromium: what they say on the console, what they ask of the network, and how wide they are."""

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-extensions",
         "--disable-background-networking", "--hide-scrollbars", "--host-resolver-rules=MAP * ~NOTFOUND",
         "--enable-logging=stderr")  # fmt: skip
OWN = "file://"
"""In the network keys of what the page asks for; the browser's own requests have none."""

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on PATH: apt-get install chromium")


@dataclass(frozen=True)
class Visit:
    """What came of opening a page."""

    dom: str
    console: list[str]
    requests: list[str]
    """Addresses that the page asked the network for."""


def visit(page: Path, folder: Path, *flags: str) -> Visit:
    """Opens a page with a fresh profile in `folder`."""
    log = folder / "net.json"
    ran = browse(page, folder, f"--log-net-log={log}", "--dump-dom", *flags)
    console = re.findall(r"CONSOLE[^\]]*\] (.*)", ran.stderr)
    return Visit(ran.stdout, console, _requests(json.loads(log.read_text())))


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


def overflow(page: Path, width: int, folder: Path) -> list[str]:
    """Elements that reach beyond a window of this width and are in no frame that scrolls, as `tag.class`."""
    frame = folder / "frame.html"
    frame.write_text(f"""<!doctype html><body style="margin:0">
<iframe src="{page.resolve().as_uri()}" style="width:{width}px;height:4000px;border:0"></iframe><pre></pre>
<script>
addEventListener("load", () => {{
  const inner = document.querySelector("iframe").contentDocument;
  const wide = [...inner.body.querySelectorAll("*")].filter(one =>
    one.getBoundingClientRect().right > {width} + 1 && !one.closest(".scroll table, .unseen"));
  const shown = wide.map(one => one.tagName + "." + one.getAttribute("class"));
  document.querySelector("pre").textContent = JSON.stringify([inner.documentElement.clientWidth, shown]);
}});
</script>""")
    dom = browse(frame, folder, "--allow-file-access-from-files", "--dump-dom").stdout
    found = re.search(r"<pre>(.+?)</pre>", dom, re.DOTALL)
    assert found is not None, dom[-500:]
    inner, shown = json.loads(found[1])
    assert inner == width
    return shown
