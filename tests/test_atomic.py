"""Where a file is written to that is a link, a pipe or a device."""

import os
import threading
from pathlib import Path

from spikeport.atomic import replacing
from spikeport.commands.samples import check_file_writable


def write(path: Path, text: str) -> None:
    check_file_writable(path)
    with replacing(path) as name:
        Path(name).write_text(text)


def test_of_a_link_what_it_points_to_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "large").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "large" / "file")
    for text in ("first", "second"):  # the link leads nowhere, and then to a file
        write(tmp_path / "link", text)
        assert (tmp_path / "link").is_symlink()
        assert (tmp_path / "large" / "file").read_text() == text
    assert sorted(os.listdir(tmp_path / "large")) == ["file"]


def test_a_pipe_is_filled_and_stays(tmp_path: Path) -> None:
    """A rename would put a file in the place of /dev/stdout or /dev/null."""
    pipe, found = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: found.append(pipe.read_text()))
    reader.start()
    write(pipe, "all of it")
    reader.join(10)
    assert found == ["all of it"]
    assert pipe.is_fifo() and os.listdir(tmp_path) == ["pipe"]
