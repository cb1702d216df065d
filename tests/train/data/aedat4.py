"""Writes AEDAT 4 files, uncompressed: flatbuffers by hand, after the format's schemas IOHE and EVTS."""

import struct
from pathlib import Path

import numpy as np

EVENT = np.dtype({"names": ["t", "x", "y", "on"], "formats": ["<i8", "<i2", "<i2", "u1"], "itemsize": 16})

STREAM = """<dv version="2.0"><node name="outInfo" path="/mainloop/Recorder/outInfo/"><node name="0" path="/0/">
<attr key="compression" type="string">NONE</attr><attr key="typeIdentifier" type="string">{kind}</attr>
<node name="info" path="/0/info/"><attr key="sizeX" type="int">128</attr><attr key="sizeY" type="int">128</attr></node>
</node></node></dv>"""


def write_aedat4(path: Path, events: np.ndarray, packets: int = 2, kind: str = "EVTS") -> None:
    """Events of type EVENT in so many packets of stream 0."""
    parts = [_packet(part) for part in np.array_split(events, packets)]
    bodies = b"".join(struct.pack("<ii", 0, len(part)) + part for part in parts)
    path.write_bytes(b"#!AER-DAT4.0\r\n" + _header(STREAM.format(kind=kind).encode()) + bodies)


def _header(text: bytes) -> bytes:
    """Compression 0, the default place of the table, the description as a string."""
    table = struct.pack("<5H2x", 10, 12, 4, 0, 8) + struct.pack("<iiI", 12, 0, 4)
    return _sized(struct.pack("<I4s", 20, b"IOHE") + table + struct.pack("<I", len(text)) + text + b"\0")


def _packet(events: np.ndarray) -> bytes:
    table = struct.pack("<3H2x", 6, 8, 4) + struct.pack("<iI", 8, 4)
    vector = struct.pack("<I", len(events)) + events.astype(EVENT).tobytes()
    return _sized(struct.pack("<I4s", 16, b"EVTS") + table + vector)


def _sized(body: bytes) -> bytes:
    return struct.pack("<I", len(body)) + body
