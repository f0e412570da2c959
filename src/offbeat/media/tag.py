"""The same picture and sound in a file of other bytes: a box at its end that readers pass over.

Reference:
    ISO/IEC 14496-12, 8.1.2, free space box: what it holds means nothing to a reader.
"""

from __future__ import annotations

import struct


def tagged(mp4: bytes, tag: str) -> bytes:
    """The file with the tag at its end; it may be tagged more than once."""
    text = tag.encode()
    return mp4 + struct.pack(">I4s", 8 + len(text), b"free") + text
