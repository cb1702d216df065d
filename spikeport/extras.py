"""How an optional part of spikeport is installed beside this very copy of it."""

import json
from pathlib import Path


def install(extra: str) -> str:
    """The command that adds an extra, such as `train`, to the installation that runs.

    A registry is asked only where this copy came from one: pip notes the folder, file or repository from which it
    installed (`direct_url.json`, PEP 610), and the command names that.
    """
    from importlib.metadata import PackageNotFoundError, distribution
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    try:
        noted = json.loads(distribution("spikeport").read_text("direct_url.json") or "{}")
    except PackageNotFoundError:
        noted = {}
    url = noted.get("url", "")
    path = Path(url2pathname(urlsplit(url).path))
    if url.startswith("file:") and path.exists():
        editable = "-e " if noted.get("dir_info", {}).get("editable") else ""
        return f"pip install {editable}'{path}[{extra}]'"
    if repository := noted.get("vcs_info"):
        commit = repository.get("commit_id", "")
        return f"pip install 'spikeport[{extra}] @ {repository['vcs']}+{url}@{commit}'"
    return f"pip install 'spikeport[{extra}]'"
