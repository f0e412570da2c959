"""What Chromium gets out of files: samples by `decodeAudioData`, frames by `requestVideoFrameCallback`.

A page on a server of this process fetches each file, decodes its sound at the file's own rate, steps its picture from
frame to frame by seeking into each, and sends back all that it got.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PAGE = Path(__file__).with_name("chromium_page.html")
QUIET = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-background-timer-throttling"),
    *("--disable-renderer-backgrounding", "--mute-audio", "--enable-logging=stderr", "--v=0"),
)


@dataclass(frozen=True)
class Asked:
    """A file, and how many frames it has at which rate."""

    content: bytes
    frames: int
    fps: Fraction


@dataclass(frozen=True)
class Shown:
    """What Chromium got out of it.

    Attributes:
        samples: of the first channel.
        lasts_s: as the player says.
        times_s: `mediaTime` of each frame.
        images: grey, shape (frames, height, width).
    """

    samples: NDArray[np.float32]
    lasts_s: float
    times_s: list[float]
    images: NDArray[np.uint8]


def shown_by_chromium(files: Sequence[Asked], profile: Path, *, rate_hz: int, timeout_s: float) -> list[Shown]:
    """Read files in a new Chromium; skips where it is not installed or lacks a codec."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    server = _Server(files, rate_hz)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_address[1]}/"
    log = profile.with_suffix(".log")
    with log.open("wb") as said:
        browser = subprocess.Popen([CHROMIUM, *QUIET, f"--user-data-dir={profile}", address], stderr=said)
    try:
        ended = server.ended.wait(timeout_s)
    finally:
        browser.kill()
        browser.wait()
        server.shutdown()
        server.server_close()
    assert ended, f"Chromium did not end within {timeout_s} s: {log.read_text(errors='replace')[-2000:]}"
    told = server.told
    if "lacks" in told:
        pytest.skip(f"this build of Chromium cannot play {told['lacks'].decode()}")
    assert "error" not in told, told["error"].decode()
    return [_shown(told, number) for number in range(len(files))]


def _shown(told: dict[str, bytes], number: int) -> Shown:
    picture = json.loads(told[f"picture/{number}"])
    images = np.frombuffer(told[f"images/{number}"], np.uint8)
    return Shown(
        samples=np.frombuffer(told[f"samples/{number}"], np.float32),
        lasts_s=picture["lasts_s"],
        times_s=picture["times_s"],
        images=images.reshape(-1, picture["height"], picture["width"]),
    )


class _Server(ThreadingHTTPServer):
    """Hands out the page and the files, and keeps what is sent back."""

    daemon_threads = True

    def __init__(self, files: Sequence[Asked], rate_hz: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        asked = [{"frames": one.frames, "fps": float(one.fps)} for one in files]
        self.offered = {"": PAGE.read_bytes(), "asked": json.dumps({"rate_hz": rate_hz, "files": asked}).encode()}
        self.offered |= {f"file/{number}": one.content for number, one in enumerate(files)}
        self.told: dict[str, bytes] = {}
        self.ended = threading.Event()


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        content = self.server.offered.get(self.path.removeprefix("/"))
        self.send_response(404 if content is None else 200)
        self.send_header("Content-Type", "text/html; charset=utf-8" if self.path == "/" else "application/octet-stream")
        self.end_headers()
        self.wfile.write(content or b"")

    def do_POST(self) -> None:
        name = self.path.removeprefix("/")
        self.server.told[name] = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()
        if name in ("end", "error", "lacks"):
            self.server.ended.set()

    def log_message(self, *_: Any) -> None:
        """Nothing."""
