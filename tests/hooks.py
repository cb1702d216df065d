"""What a commit is checked for beside format, style and types: python -m tests.hooks stripped|small FILE ..."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

MOST_KIB = 500
"""No file of the repository needs to be larger: networks and recordings in it are small ones."""


def stripped(path: Path) -> str | None:
    """What is wrong with a notebook that is to be kept without outputs."""
    cells = json.loads(path.read_text())["cells"]
    if any(cell.get("outputs") or cell.get("execution_count") for cell in cells):
        return f"{path}: has outputs; clear them: jupyter nbconvert --clear-output --inplace {path}"
    return None


def small(path: Path) -> str | None:
    """What is wrong with a file that is too large."""
    size = -(-path.stat().st_size // 1024)
    return f"{path}: size ({size} KiB) is above {MOST_KIB} KiB" if size > MOST_KIB else None


CHECKS = {"stripped": stripped, "small": small}


def main(arguments: Sequence[str]) -> int:
    name, *files = arguments
    wrong = [told for file in files if not Path(file).is_symlink() and (told := CHECKS[name](Path(file)))]
    print("".join(f"{told}\n" for told in wrong), end="", file=sys.stderr)
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
