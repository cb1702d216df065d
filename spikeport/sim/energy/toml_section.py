"""Tables of a TOML file that anybody may have written: each key is what it should be, or one short line names it."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from spikeport.errors import DescriptionInvalid, FileMissing, FileTooLarge, FileUnreadable

MAX_BYTES = 1 << 20
MIN_NUMBER = 1e-15
MAX_NUMBER = 1e15
MAX_TEXT = 2000
MAX_SHOWN = 80
MAX_PATH = 256


@dataclass(frozen=True)
class Section:
    """One table. Every method raises FileError, which names the file and the key."""

    file: str
    key: str
    """Where the table is, `energy_pj.sop`; empty for the file itself."""
    values: Mapping[str, Any]

    def at(self, name: str) -> str:
        return f"{self.key}.{name}" if self.key else name

    def refuse(self, name: str, relation: str, limit: object = None, do: str = "") -> NoReturn:
        value = self.values.get(name)
        spelt = value is not None and not isinstance(value, dict) and not _is_nested(value)  # those may be too deep
        got = shown(value) if spelt else None
        raise DescriptionInvalid(self.file, self.at(name), got=got, relation=relation, limit=limit, do=do)

    def only(self, names: Sequence[str]) -> None:
        """No keys but these."""
        for name in (name for name in self.values if name not in names):
            what = f"unknown key in {self.key}" if self.key else "unknown key"
            raise DescriptionInvalid(self.file, what, got=shown(name), relation="is not one of", limit=", ".join(names))

    def section(self, name: str) -> "Section":
        value = self.needed(name)
        if not isinstance(value, dict):
            self.refuse(name, "is not", "a table")
        return Section(self.file, self.at(name), value)

    def sections(self, name: str) -> tuple["Section", ...]:
        """An array of tables, counted from 1 in errors; none if the key is missing."""
        values = self.values.get(name, [])
        if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
            self.refuse(name, "is not", f"an array of tables, [[{name}]]")
        return tuple(Section(self.file, f"{self.at(name)}[{i}]", value) for i, value in enumerate(values, 1))

    def text(self, name: str, default: str | None = None) -> str:
        """Printable, on one line whatever the line breaks of the file, and not empty if there is no default."""
        value = self.needed(name, default)
        line = " ".join(value.split()) if isinstance(value, str) else None
        if line is None or not line.isprintable() or len(line) > MAX_TEXT:
            self.refuse(name, "is not", f"printable text of at most {MAX_TEXT} characters")
        if not line and default is None:
            self.refuse(name, "is empty")
        return line

    def choice(self, name: str, options: Sequence[str], default: str | None = None) -> str:
        value = self.needed(name, default)
        if name in self.values and value not in options:
            self.refuse(name, "is not one of", ", ".join(options))
        return str(value)

    def number(self, name: str) -> float:
        """0, or from `MIN_NUMBER` to `MAX_NUMBER`, so that no product and no ratio of two is infinite."""
        value = self.needed(name)
        if type(value) not in (int, float) or not (value == 0 or MIN_NUMBER <= value <= MAX_NUMBER):
            self.refuse(name, "is not", f"0 or a number from {MIN_NUMBER:g} to {MAX_NUMBER:g}")
        return abs(float(value))

    def integer(self, name: str, least: int, most: int) -> int:
        value = self.needed(name)
        if type(value) is not int or not least <= value <= most:
            self.refuse(name, "is not", f"an integer from {least} to {most}")
        return value

    def needed(self, name: str, default: Any = None) -> Any:
        """Whatever it is."""
        value = self.values.get(name, default)
        if value is None:
            self.refuse(name, "is missing")
        return value


def read_bytes(path: str) -> bytes:
    """Raises FileError if there is no such file, or it is larger than `MAX_BYTES`."""
    where = _place(path)
    try:
        if not Path(path).is_file():
            raise FileMissing(where, "is not a file")
        with open(path, "rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise FileUnreadable(where, "cannot be read", got=error.strerror) from error
    if len(content) > MAX_BYTES:
        raise FileTooLarge(where, "size", relation="exceeds", limit=f"{MAX_BYTES} bytes", do="is it the right file?")
    return content


def parse_toml(file: str, content: bytes) -> Section:
    """The whole file. `file` is its name for errors."""
    where = _place(file)
    try:
        return Section(where, "", tomllib.loads(content.decode()))
    except (ValueError, RecursionError) as error:  # tomllib's own error, not UTF-8, endless digits, endless brackets
        raise FileUnreadable(where, "is not TOML", got=_short(str(error))) from error


def shown(value: object) -> str:
    """A value from a file within an error: ASCII, one line, short."""
    if isinstance(value, int) and value.bit_length() > 64:
        return f"an integer of {value.bit_length()} bits"
    return _short(ascii(value))


def _is_nested(value: object) -> bool:
    return isinstance(value, list) and any(isinstance(item, list | dict) for item in value)


def _place(path: str) -> str:
    """A path as it is, if a line can hold it."""
    return path if path.isprintable() and len(path) <= MAX_PATH else shown(path)


def _short(text: str) -> str:
    """Both ends: parsers name the line at the end."""
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN // 2]}...{text[-MAX_SHOWN // 2 :]}"
