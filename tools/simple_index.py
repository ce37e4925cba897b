"""Fetch one locked wheel from a package index, by the simple API (PEP 503 in HTML, PEP 691 in JSON).

The lock file is trusted, the index is not: what arrives must have a hash that the lock names.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit, urlunsplit

from tools.pip_config import PipConfig
from tools.progress import SetupError

_ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"
_TIMEOUT_S = 30
_LARGEST = 20_000_000


@dataclass(frozen=True)
class Locked:
    """One package of a lock file: its version, and the sha256 hashes of its files."""

    name: str
    version: str
    hashes: frozenset[str]

    @property
    def wheel(self) -> str:
        """The file name of its pure-Python wheel."""
        return f"{self.name}-{self.version}-py3-none-any.whl"


def locked(lock: str, name: str) -> Locked:
    """Find a package in the text of a lock file.

    Raises:
        SetupError: the lock does not hold it.
    """
    block = re.search(rf"^{re.escape(name)}==(\S+)((?:.*\\\n)*.*)", lock, re.MULTILINE)
    if not block:
        raise SetupError(f"{name} is not in the lock file", "regenerate it: make lock")
    return Locked(name, block[1], frozenset(re.findall(r"--hash=sha256:([0-9a-f]{64})", block[2])))


def fetch(package: Locked, config: PipConfig, folder: Path) -> Path:
    """Download the package's wheel into a folder, from the first index that has it.

    Raises:
        SetupError: no index has it, or what came has a hash that the lock does not name.
    """
    said = []
    for index in config.indexes:
        try:
            page, kind, address = _get(f"{index}/{package.name}/", config)
            found = links(page.decode(errors="replace"), kind, address).get(package.wheel)
            if found:
                return _download(found, package, config, folder)
            said.append(f"{_public(index)} has no {package.wheel}")
        except (OSError, ValueError) as error:
            said.append(f"{_public(index)}: {error}")
    raise SetupError("; ".join(said))


def links(page: str, kind: str, address: str) -> dict[str, str]:
    """The files that a project page offers: file name to absolute address."""
    if "json" in kind:
        return {file["filename"]: urljoin(address, file["url"]) for file in json.loads(page)["files"]}
    reader = _Anchors()
    reader.feed(page)
    absolute = [urldefrag(urljoin(address, href)).url for href in reader.hrefs]
    return {unquote(urlsplit(url).path.rpartition("/")[2]): url for url in absolute}


def _download(address: str, package: Locked, config: PipConfig, folder: Path) -> Path:
    content, _, _ = _get(address, config)
    digest = hashlib.sha256(content).hexdigest()
    if digest not in package.hashes:
        raise SetupError(
            f"{package.wheel} from {urlsplit(address).hostname} has the sha256 {digest}, which the lock does not name",
            "do not use that package index, or regenerate the lock: make lock",
        )
    path = folder / package.wheel
    path.write_bytes(content)
    return path


class _Anchors(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.hrefs: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.hrefs += [value for name, value in attrs if tag == "a" and name == "href" and value]


def _get(url: str, config: PipConfig) -> tuple[bytes, str, str]:
    """The content, its media type, and the address it came from in the end (a redirect moves the base of links)."""
    if url.startswith("file:") and url.endswith("/"):
        url += "index.html"  # a folder as an index, as pip reads it
    context = ssl.create_default_context(cafile=config.certificates)
    opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context))
    with opener.open(_request(url), timeout=_TIMEOUT_S) as answer:
        return answer.read(_LARGEST), answer.headers.get_content_type(), answer.url


def _request(url: str) -> urllib.request.Request:
    """A request whose user and password, where the address holds them, travel in the header."""
    parts = urlsplit(url)
    request = urllib.request.Request(_public(url), headers={"Accept": _ACCEPT})
    if parts.username:
        secret = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        request.add_unredirected_header("Authorization", "Basic " + base64.b64encode(secret.encode()).decode())
    return request


def _public(url: str) -> str:
    """An address without user and password."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
