"""The one thing that must be known about H.264 before packets may be taken out of their stream."""

from __future__ import annotations

_IDR = 5
"""NAL unit type of a slice before which the decoder forgets everything (ITU-T H.264, table 7-1)."""


def begins_anew(data: bytes, extradata: bytes) -> bool:
    """Whether a packet holds an IDR picture; other key frames may be followed by frames that refer to earlier ones.

    Args:
        data: the packet, whose NAL units stand behind their lengths (avcC) or behind start codes.
        extradata: of the stream, which tells the two apart.
    """
    if extradata[:1] != b"\x01":
        return any(unit[0] & 0x1F == _IDR for unit in data.split(b"\x00\x00\x01")[1:] if unit)
    if len(extradata) < 5:
        return False
    width = (extradata[4] & 3) + 1
    at = 0
    while at + width < len(data):
        if data[at + width] & 0x1F == _IDR:
            return True
        at += width + int.from_bytes(data[at : at + width], "big")
    return False
