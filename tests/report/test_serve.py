"""The local server: byte ranges, this host only, this folder only."""

import http.client
import socket
import threading

import pytest

from offbeat.report.serve import HOST, server


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """Host and port of a served folder with a page and a clip of 1,000 bytes; a secret lies beside the folder."""
    base = tmp_path_factory.mktemp("served")
    folder = base / "report"
    (folder / "clips").mkdir(parents=True)
    (folder / "index.html").write_text("<p>page</p>", encoding="utf-8")
    (folder / "clips" / "a.mp4").write_bytes(bytes(range(250)) * 4)
    (base / "secret").write_text("secret", encoding="utf-8")
    (folder / "clips" / "link").symlink_to(base / "secret")
    with socket.create_server((HOST, 0)) as listener:
        running = server(folder)
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
        thread.start()
        yield listener.getsockname()[1]
        running.should_exit = True
        thread.join()


def ask(port, path, method="GET", **headers):
    connection = http.client.HTTPConnection(HOST, port, timeout=30)
    connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response, body


def test_the_page_comes_at_the_root(served):
    response, body = ask(served, "/")
    assert (response.status, body) == (200, b"<p>page</p>")
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["cross-origin-resource-policy"] == "same-origin"
    assert response.headers["access-control-allow-origin"] is None


def test_byte_ranges(served):
    response, body = ask(served, "/clips/a.mp4", Range="bytes=100-109")
    assert (response.status, response.headers["content-range"]) == (206, "bytes 100-109/1000")
    assert body == bytes(range(100, 110))
    assert response.headers["content-type"] == "video/mp4"
    assert ask(served, "/clips/a.mp4", Range="bytes=2000-")[0].status == 416


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example"])
def test_other_hosts_get_nothing(served, host):
    response, body = ask(served, "/", Host=host)
    assert response.status == 400
    assert b"page" not in body


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_this_host_by_both_names(served, host):
    assert ask(served, "/", Host=f"{host}:{served}")[0].status == 200


@pytest.mark.parametrize(
    "path", ["/../secret", "/clips/../../secret", "/%2e%2e/secret", "/clips/%2e%2e%2f%2e%2e%2fsecret", "/clips/link"]
)
def test_nothing_outside_the_folder(served, path):
    response, body = ask(served, path)
    assert response.status == 404
    assert b"secret" not in body


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_it_only_reads(served, method):
    assert ask(served, "/clips/a.mp4", method=method)[0].status == 405
