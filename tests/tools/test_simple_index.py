"""Fetching one locked wheel from a package index on a local HTTP server."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tools.pip_config import PipConfig
from tools.progress import SetupError
from tools.simple_index import Locked, fetch, links, locked

WHEEL = b"PK\x03\x04 not really a wheel"
NAME = "pip-1.0-py3-none-any.whl"
PACKAGE = Locked("pip", "1.0", frozenset([hashlib.sha256(WHEEL).hexdigest()]))


@dataclass
class Index:
    """What a local index serves, and what it was asked."""

    pages: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    authorizations: list[str | None] = field(default_factory=list)
    port: int = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/simple"


@pytest.fixture
def index() -> Iterator[Index]:
    served = Index()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.authorizations.append(self.headers.get("Authorization"))
            kind, content = served.pages.get(self.path, ("", b""))
            if kind == "redirect":
                self.send_response(302)
                self.send_header("Location", content.decode())
            else:
                self.send_response(200 if kind else 404)
                self.send_header("Content-Type", kind or "text/plain")
            self.send_header("Content-Length", "0" if kind == "redirect" else str(len(content)))
            self.end_headers()
            if kind != "redirect":
                self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield served
    server.shutdown()
    thread.join()
    server.server_close()


def html(href: str) -> tuple[str, bytes]:
    return "text/html", f'<html><a href="{href}" data-requires-python="&gt;=3.9">file</a></html>'.encode()


def test_a_wheel_by_a_relative_link_of_an_html_page(index: Index, tmp_path: Path) -> None:
    index.pages = {
        "/simple/pip/": html(f"../../files/{NAME}#sha256={'0' * 64}"),
        f"/files/{NAME}": ("application/zip", WHEEL),
    }
    assert fetch(PACKAGE, PipConfig((index.address,)), tmp_path).read_bytes() == WHEEL


def test_a_wheel_by_a_json_page(index: Index, tmp_path: Path) -> None:
    page = {"files": [{"filename": NAME, "url": f"/files/{NAME}", "hashes": {}}]}
    index.pages = {
        "/simple/pip/": ("application/vnd.pypi.simple.v1+json", json.dumps(page).encode()),
        f"/files/{NAME}": ("application/zip", WHEEL),
    }
    assert fetch(PACKAGE, PipConfig((index.address,)), tmp_path).name == NAME


def test_a_redirect_moves_the_base_of_relative_links(index: Index, tmp_path: Path) -> None:
    index.pages = {
        "/simple/pip/": ("redirect", b"/elsewhere/pip/"),
        "/elsewhere/pip/": html(NAME),
        f"/elsewhere/pip/{NAME}": ("application/zip", WHEEL),
    }
    assert fetch(PACKAGE, PipConfig((index.address,)), tmp_path).read_bytes() == WHEEL


def test_the_next_index_where_one_does_not_have_it(index: Index, tmp_path: Path) -> None:
    index.pages = {"/more/pip/": html(NAME), f"/more/pip/{NAME}": ("application/zip", WHEEL)}
    indexes = (index.address, f"http://127.0.0.1:{index.port}/more")
    assert fetch(PACKAGE, PipConfig(indexes), tmp_path).read_bytes() == WHEEL


def test_a_folder_as_an_index(tmp_path: Path) -> None:
    (tmp_path / "simple/pip").mkdir(parents=True)
    (tmp_path / "simple/pip/index.html").write_bytes(html(NAME)[1])
    (tmp_path / "simple/pip" / NAME).write_bytes(WHEEL)
    config = PipConfig(((tmp_path / "simple").as_uri(),))
    assert fetch(PACKAGE, config, tmp_path).read_bytes() == WHEEL


def test_another_hash_than_the_locked_one_is_refused(index: Index, tmp_path: Path) -> None:
    forged = WHEEL + b"!"
    index.pages = {
        "/simple/pip/": html(f"{NAME}#sha256={hashlib.sha256(forged).hexdigest()}"),
        f"/simple/pip/{NAME}": ("application/zip", forged),
    }
    with pytest.raises(SetupError, match="which the lock does not name"):
        fetch(PACKAGE, PipConfig((index.address,)), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_each_index_said_where_none_has_it(index: Index, tmp_path: Path) -> None:
    index.pages = {"/simple/pip/": html("pip-2.0-py3-none-any.whl")}
    config = PipConfig((index.address, f"http://127.0.0.1:{index.port}/nothing"))
    with pytest.raises(SetupError, match=r"simple has no pip-1\.0-py3-none-any\.whl; .*nothing: HTTP Error 404"):
        fetch(PACKAGE, config, tmp_path)


def test_user_and_password_travel_in_the_header_and_are_never_said(index: Index, tmp_path: Path) -> None:
    address = index.address.replace("//", "//reader:s%40cret@")
    with pytest.raises(SetupError) as refused:
        fetch(PACKAGE, PipConfig((address,)), tmp_path)
    assert index.authorizations == ["Basic " + base64.b64encode(b"reader:s@cret").decode()]
    assert "cret" not in str(refused.value)


def test_links_of_a_page_without_any() -> None:
    assert links("<html><a>no address</a></html>", "text/html", "http://index/simple/pip/") == {}


def test_a_package_and_its_hashes_in_a_lock_file() -> None:
    one, two = "1" * 64, "2" * 64
    lock = (
        f"pip-tools==9 \\\n    --hash=sha256:{'3' * 64}\n"
        f"pip==26.3 ; python_version >= '3.11' \\\n    --hash=sha256:{one} \\\n    --hash=sha256:{two}\n"
        f"rich==1 \\\n    --hash=sha256:{'4' * 64}\n"
    )
    assert locked(lock, "pip") == Locked("pip", "26.3", frozenset([one, two]))
    with pytest.raises(SetupError, match="not in the lock file"):
        locked(lock, "absent")
