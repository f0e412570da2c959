"""Writing files that are whole or not there, and holding a folder for one process.

A file is written under a temporary name beside its place, forced onto the disk, and renamed: a reader, or a process
that is killed and comes back, sees the old file or the new one, never half of it. For local file systems.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from offbeat.errors import OffbeatError

_BLOCK_BYTES = 1 << 20
_OPEN_FILES = Path("/proc/self/fd")


@contextmanager
def whole_file(path: Path) -> Generator[Path]:
    """A temporary neighbour to write to, which takes the place of `path` when all went well."""
    temporary = path.with_name(f".{path.name}.part")
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        if error.filename is None:  # as where a write finds the disk full
            error.filename = str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)


def write_whole(path: Path, content: str | bytes) -> None:
    """Write text (UTF-8) or bytes, whole or not at all."""
    with whole_file(path) as temporary:
        temporary.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)


def place(source: Path, target: Path) -> None:
    """Put a file at another place too, linked or copied, whole or not at all."""
    if target.exists() and target.samefile(source):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(target) as temporary:
        linked_or_copied(source, temporary)


def linked_or_copied(source: Path, target: Path) -> bool:
    """Make `target` a hard link to a file, or a copy of it where the file system cannot link; whether it is a link."""
    target.unlink(missing_ok=True)
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copyfile(source, target)
        return False
    return True


@contextmanager
def scratch_file() -> Generator[Path]:
    """A file to write, read back and forget.

    On Linux it lies in memory and has no name: a process that is killed leaves nothing behind. Elsewhere it is one in
    the folder for temporary files.
    """
    if sys.platform == "linux" and _OPEN_FILES.is_dir():
        descriptor = os.memfd_create("offbeat")
        try:
            yield _OPEN_FILES / str(descriptor)
        finally:
            os.close(descriptor)
    else:
        with tempfile.TemporaryDirectory(prefix="offbeat-") as folder:
            yield Path(folder) / "scratch"


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's content, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


@contextmanager
def held_folder(folder: Path, *, error: type[OffbeatError]) -> Generator[None]:
    """Hold a folder, made if need be, until the block ends; the hold ends with the process, however it ends.

    Raises:
        OffbeatError: of the type `error`: another process holds it, or it cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("w")
    except OSError as cause:
        raise error(f"{folder}: cannot be written to ({cause.strerror}); choose another folder") from cause
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as cause:
            raise error(f"{folder}: another offbeat process is at work in it; wait for it to end") from cause
        yield


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
