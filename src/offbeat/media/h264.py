"""What must be known about H.264 before packets may be taken out of their stream.

A packet is a series of units (NAL units, ITU-T H.264, 7.3.1). Those of the picture say by a number which parameter sets
they are coded with; the sets stand in the stream's header (`extradata`), in other units of the stream, or in both. So
packets mean the same elsewhere only where the same sets have the same numbers there. An IDR picture empties the
decoder's store of reference pictures (8.2.1): from it on, what is decoded depends on the packets from it on and on the
parameter sets, and on nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable

from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from offbeat.media.opening import brings

_KIND = 0x1F
_IDR = 5
"""Unit type of a slice of an IDR picture (table 7-1)."""
_PARAMETER_SETS = (7, 8)
"""Of a sequence and of a picture: no other units outside a picture bear on how it is decoded."""
_START_CODE = b"\x00\x00\x01"
NEW_HEADER = "new_extradata"
"""What FFmpeg calls a header that takes the place of the stream's own from a packet on."""


class Entries:
    """Tells, packet by packet, where decoding can begin with the stream's header alone.

    That is so at an IDR picture, as long as no packet before it brought parameter sets that the header does not have.

    Args:
        extradata: the header.
    """

    def __init__(self, extradata: bytes) -> None:
        self._extradata = extradata
        try:
            self._sets: frozenset[bytes] | None = parameter_sets(extradata)
        except ValueError:
            self._sets = None

    def is_next(self, packet: Packet[Stream] | Packet[VideoStream]) -> bool:
        """Whether the next packet is such a place; to be asked about all packets, in their order."""
        if self._sets is None:
            return False
        try:
            units = units_of(bytes(packet), self._extradata)
        except ValueError:
            units = None
        if units is None or brings(packet, NEW_HEADER) or brings_other_sets(units, self._sets):
            self._sets = None  # what a decoder then holds depends on what it read before
            return False
        return packet.is_keyframe and begins_anew(units)


def begins_anew(units: Iterable[bytes]) -> bool:
    """Whether these are of an IDR picture; what follows other key frames may refer to what came before them."""
    return any(unit[0] & _KIND == _IDR for unit in units)


def mark_entries(packets: Iterable[Packet[VideoStream]], extradata: bytes) -> None:
    """Leave the mark of a key frame to IDR pictures alone, before packets are written into another file.

    FFmpeg's reader puts it on every frame that is coded without others, as encoders do at cuts in the scene. Frames
    behind such a one may need what came before it, and a decoder that is sent there gives it out late or never: who
    asks for frame 16 is shown frame 17.
    """
    for packet in packets:
        if packet.is_keyframe:
            packet.is_keyframe = begins_anew(units_of(bytes(packet), extradata))


def brings_other_sets(units: Iterable[bytes], known: frozenset[bytes]) -> bool:
    """Whether there are parameter sets among the units that are not known."""
    return any(unit[0] & _KIND in _PARAMETER_SETS and unit not in known for unit in units)


def units_of(data: bytes, extradata: bytes) -> list[bytes]:
    """The units of a packet, in order, without what separates them.

    Args:
        data: the packet, whose units stand behind their lengths (ISO/IEC 14496-15) or behind start codes (annex B).
        extradata: of the stream, which tells the two apart.

    Raises:
        ValueError: the lengths do not add up to the packet.
    """
    if extradata[:1] != b"\x01":
        return _between_start_codes(data)
    width = (_number(extradata, 4, 1) & 3) + 1
    units: list[bytes] = []
    at = 0
    while at < len(data):
        first = at + width
        at = first + int.from_bytes(data[at:first], "big")
        if at > len(data):
            raise ValueError(f"a unit up to byte {at} in a packet of {len(data)} bytes")
        units.append(data[first:at])
    return [unit for unit in units if unit]


def parameter_sets(extradata: bytes) -> frozenset[bytes]:
    """The parameter sets in a stream's header.

    Raises:
        ValueError: it breaks off.
    """
    if extradata[:1] != b"\x01":
        units = _between_start_codes(extradata)
        return frozenset(unit for unit in units if unit[0] & _KIND in _PARAMETER_SETS)
    found: set[bytes] = set()
    at = 5
    for mask in (0x1F, 0xFF):  # sets of sequences, then sets of pictures; before each kind, how many
        many = _number(extradata, at, 1) & mask
        at += 1
        for _ in range(many):
            first = at + 2
            at = first + _number(extradata, at, 2)
            if at > len(extradata):
                raise ValueError(f"a parameter set up to byte {at} in a header of {len(extradata)} bytes")
            found.add(extradata[first:at])
    return frozenset(found)


def _between_start_codes(data: bytes) -> list[bytes]:
    """A unit never ends with a zero byte (7.4.1): those before a start code belong to the code."""
    return [unit for part in data.split(_START_CODE)[1:] if (unit := part.rstrip(b"\x00"))]


def _number(data: bytes, at: int, size: int) -> int:
    if at + size > len(data):
        raise ValueError(f"a header that breaks off at byte {len(data)}")
    return int.from_bytes(data[at : at + size], "big")
