"""A hub on this machine that serves one checkpoint, with the API that `huggingface_hub` asks for.

What the owner of a repository is called says how the hub behaves::

    whole     as it should
    hidden    401: private, or it does not exist, which the hub does not tell apart
    missing   404
    gated     tells of its files, but does not hand them out
    busy      503
    silent    takes the connection, and never answers
    cut       breaks off in the middle of each file of weights, every time
    hiccup    the same, the first time
"""

import hashlib
import json
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

COMMITS = {"main": "a1" * 20, "older": "b2" * 20}
_API = re.compile(r"/api/models/(?P<owner>[^/]+)/tiny(/(?P<what>revision|tree)/(?P<revision>[^/]+))?/?")
_FILE = re.compile(r"/(?P<owner>[^/]+)/tiny/resolve/(?P<revision>[^/]+)/(?P<name>[^/]+)")
_FAULTS = {"hidden": (401, "RepoNotFound"), "missing": (404, "RepoNotFound"), "busy": (503, "")}


class Hub(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder, self.asked, self.ended = folder, [], threading.Event()
        self.cut_off: set[str] = set()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *args) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.server.asked.append(f"{self.command} {path}")
        api, file = _API.fullmatch(path), _FILE.fullmatch(path)
        found = api or file
        if found is None:
            return self._say(404, b"{}")
        if found["owner"] == "silent":
            self.server.ended.wait(60)
            self.close_connection = True
            return None
        if found["owner"] in _FAULTS:
            status, code = _FAULTS[found["owner"]]
            return self._say(status, b"{}", {"X-Error-Code": code} if code else {})
        commit = COMMITS.get(found["revision"] or "main", found["revision"])
        if commit not in COMMITS.values():
            return self._say(404, b"{}", {"X-Error-Code": "RevisionNotFound"})
        if api is not None:
            return self._say(200, json.dumps(self._listed(api["what"] or "revision", api["owner"], commit)).encode())
        return self._file(file["owner"], commit, file["name"])

    def _listed(self, what: str, owner: str, commit: str) -> object:
        files = sorted(self.server.folder.iterdir())
        if what == "revision":
            return {"id": f"{owner}/tiny", "sha": commit, "siblings": [{"rfilename": file.name} for file in files]}
        return [{"type": "file", "path": file.name, "size": file.stat().st_size, "oid": _etag(file)} for file in files]

    def _file(self, owner: str, commit: str, name: str) -> None:
        if owner == "gated":
            return self._say(403, b"{}", {"X-Error-Code": "GatedRepo"})
        file = self.server.folder / name
        if not file.is_file():
            return self._say(404, b"{}", {"X-Error-Code": "EntryNotFound"})
        body = file.read_bytes()
        begin = int((self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").partition("-")[0])
        headers = {"X-Repo-Commit": commit, "ETag": f'"{_etag(file)}"', "Accept-Ranges": "bytes"}
        if begin:
            headers["Content-Range"] = f"bytes {begin}-{len(body) - 1}/{len(body)}"
        cut = name.endswith(".safetensors") and self.command == "GET" and begin < len(body) // 2
        once = owner == "hiccup" and name not in self.server.cut_off
        if cut and (owner == "cut" or once):
            self.server.cut_off.add(name)
            return self._say(206 if begin else 200, body[begin:], headers, most=len(body) // 2 - begin)
        if owner == "cut" and self.command == "GET" and name.endswith(".safetensors"):
            return self._say(206, body[begin:], headers, most=0)
        return self._say(206 if begin else 200, body[begin:], headers)

    def _say(self, status: int, body: bytes, headers: dict[str, str] | None = None, *, most: int | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[:most])
        self.close_connection = most is not None


def _etag(file: Path) -> str:
    return hashlib.sha1(file.read_bytes(), usedforsecurity=False).hexdigest()


@contextmanager
def serving(folder: Path):
    """The hub, answering until the block ends."""
    hub = Hub(folder)
    thread = threading.Thread(target=hub.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.ended.set()
        hub.shutdown()
        hub.server_close()
        thread.join()
