"""A port of whatever is told to switch by HTTP: a switch with a REST interface, a PoE injector, a relay in the network.

What to ask is data, so that a box needs no driver of its own:

.. code-block:: yaml

    switches:
      desk:
        driver: http
        address: http://192.168.20.41
        settings:
          down: {method: PUT, path: "/ports/{port}", body: {admin: false}}
          up: {method: PUT, path: "/ports/{port}", body: {admin: true}}
          read: {path: "/ports/{port}", pointer: /admin, up_value: true}
          link: {path: "/ports/{port}", pointer: /link, up_value: true}       # where it says so
          power_off: {method: PUT, path: "/ports/{port}", body: {poe: false}}  # where it gives power
          power_on: {method: PUT, path: "/ports/{port}", body: {poe: true}}
          power: {path: "/ports/{port}", pointer: /poe, up_value: true}
          user: rig
          password: …
          headers: {X-Api-Key: …}

``{port}`` stands for the port's number, in paths and in the texts of bodies. A body that is a text is sent as it is,
any other as JSON. ``pointer`` is a JSON pointer (RFC 6901) into the answer; without one the whole answer is compared,
as text. The names of the parts follow the words of the bench file; what a certain box wants is in its manual.
"""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import threading
import time
from collections.abc import Mapping
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from rig.errors import BenchTrouble, CallerMistake, DeviceGone, DeviceMute, DeviceNonsense
from rig.instruments.switch.port import PortState
from rig.instruments.transcript import Observe, unobserved

_MAX_ANSWER = 1 << 20
_SHOWN = 60
_POLL_S = 0.05
_CURE = "compare its settings with the manual of the box"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Act(_Part):
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "POST"
    path: str = Field(pattern="^/")
    body: Any = None


class _Question(_Part):
    path: str = Field(pattern="^/")
    pointer: str | None = Field(None, pattern="^(/.*)?$")
    up_value: Any = True


class _Settings(_Part):
    down: _Act
    up: _Act
    read: _Question
    link: _Question | None = None
    power_off: _Act | None = None
    power_on: _Act | None = None
    power: _Question | None = None
    user: str | None = None
    password: str = ""
    headers: dict[str, str] = {}
    timeout_s: float = Field(2.0, gt=0)
    link_limit_s: float = Field(5.0, gt=0)

    @model_validator(mode="after")
    def _power_is_whole(self) -> _Settings:
        if len({each is None for each in (self.power_off, self.power_on, self.power)}) > 1:
            raise ValueError("power_off, power_on and power go together")
        return self


def check(settings: Mapping[str, Any]) -> _Settings:
    """The settings.

    Raises:
        CallerMistake: one is missing, unknown, or cannot be.
    """
    try:
        return _Settings.model_validate(dict(settings))
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "settings"
        raise CallerMistake("switch driver http", f"{field}: {first['msg']}", "it needs down, up and read") from error


class HttpPort:
    """One port.

    Args:
        address: ``http://HOST[:PORT]`` or ``https://…``, whose certificate must be one that this machine trusts.
        port: its number, from 1.
        settings: see above.
        name: what the bench calls it.
        observe: told method, path and what was read; no body, no header.

    Raises:
        CallerMistake: a setting or an address that cannot be.
        BenchTrouble: it does not answer, or not so.
    """

    def __init__(
        self, address: str, port: int, settings: Mapping[str, Any], *, name: str, observe: Observe = unobserved
    ) -> None:
        self.name: Final = name
        self.identity: Final = f"HTTP at {address}, port {port}"
        self._settings = check(settings)
        self._observe = observe
        self._port = str(port)
        self._lock = threading.Lock()
        try:
            parts = urlsplit(address)
            host, number = parts.hostname, parts.port
        except ValueError:
            host = None
        if not host or parts.scheme not in ("http", "https") or parts.username or parts.path not in ("", "/"):
            raise CallerMistake(name, f"{address!r} is no address of a box", "write http://HOST or http://HOST:PORT")
        self._secure, self._place = parts.scheme == "https", (host, number)
        self.read()

    def down(self) -> PortState:
        """See `SwitchPort.down`."""
        self._act(self._settings.down)
        state = self._require(self.read(), enabled=False)
        deadline = time.monotonic() + self._settings.link_limit_s
        while state.link:
            if time.monotonic() > deadline:
                raise BenchTrouble(self.name, "is down and still has a link", "is it the right port?")
            time.sleep(_POLL_S)
            state = self.read()
        return state

    def up(self) -> PortState:
        """See `SwitchPort.up`."""
        self._act(self._settings.up)
        return self._require(self.read(), enabled=True)

    def power_off(self) -> PortState:
        """See `SwitchPort.power_off`."""
        self._act(self._settings.power_off)
        return self._require(self.read(), powered=False)

    def power_on(self) -> PortState:
        """See `SwitchPort.power_on`."""
        self._act(self._settings.power_on)
        return self._require(self.read(), powered=True)

    def read(self) -> PortState:
        """See `SwitchPort.read`."""
        link = None if self._settings.link is None else self._asked(self._settings.link)
        powered = None if self._settings.power is None else self._asked(self._settings.power)
        return PortState(self._asked(self._settings.read), link, powered)

    def close(self) -> None:
        """See `SwitchPort.close`: no connection outlives its question."""

    def _require(self, state: PortState, **wanted: bool) -> PortState:
        for field, value in wanted.items():
            if getattr(state, field) is not value:
                what = f"was told to be {field}: {value}, and reads back {getattr(state, field)}"
                raise DeviceNonsense(self.name, what, "is the port locked? is it the right one?")
        return state

    def _act(self, act: _Act | None) -> None:
        if act is None:
            raise BenchTrouble(self.name, "gives no power that could be switched", "see power_off among its settings")
        body = act.body
        if body is not None:
            body = self._named(body if isinstance(body, str) else json.dumps(body))
        self._exchange(act.method, act.path, body, is_json=not isinstance(act.body, str))

    def _asked(self, question: _Question) -> bool:
        text = self._exchange("GET", question.path, None)
        if question.pointer is None:
            found: Any = text.strip()
        else:
            try:
                found = _pointed(json.loads(text), self._named(question.pointer))
            except (ValueError, LookupError, TypeError) as error:
                what = f"answers {text[:_SHOWN]!r} to {self._named(question.path)}, without {question.pointer}"
                raise DeviceNonsense(self.name, what, _CURE) from error
        self._observe(
            "instrument_rx", {"device": self.name, "line": f"{self._named(question.path)}: {str(found)[:_SHOWN]}"}
        )
        if type(found) is not type(question.up_value):
            what = (
                f"answers {found!r} to {self._named(question.path)}, which is not of the kind of {question.up_value!r}"
            )
            raise DeviceNonsense(self.name, what, "mend up_value: it is written as the box does")
        return bool(found == question.up_value)

    def _exchange(self, method: str, path: str, body: str | None, is_json: bool = True) -> str:
        path = self._named(path)
        headers = dict(self._settings.headers)
        if self._settings.user is not None:
            secret = base64.b64encode(f"{self._settings.user}:{self._settings.password}".encode()).decode()
            headers.setdefault("Authorization", f"Basic {secret}")
        if body is not None and is_json:
            headers.setdefault("Content-Type", "application/json")
        self._observe("instrument_tx", {"device": self.name, "line": f"{method} {path}"})
        with self._lock:
            connection = self._connection()
            try:
                connection.request(method, path, body, headers)
                response = connection.getresponse()
                text = response.read(_MAX_ANSWER).decode("utf-8", "replace")
            except TimeoutError as error:
                what = f"no answer to {method} {path} in {self._settings.timeout_s:g} s"
                raise DeviceMute(self.name, what, "power-cycle it") from error
            except OSError as error:
                what = f"{method} {path} is not answered: {error.strerror or error}"
                raise DeviceGone(self.name, what, "its power, cable and address?") from error
            except (http.client.HTTPException, ValueError) as error:
                raise DeviceNonsense(self.name, f"answers what is no HTTP: {type(error).__name__}", _CURE) from error
            finally:
                connection.close()
        if not 200 <= response.status < 300:
            cure = "its user and password?" if response.status in (401, 403) else _CURE
            raise DeviceNonsense(self.name, f"answers {method} {path} with HTTP {response.status}", cure)
        return text

    def _named(self, text: str) -> str:
        return text.replace("{port}", self._port)

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self._place
        assert host is not None
        if self._secure:
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(host, port, timeout=self._settings.timeout_s, context=context)
        return http.client.HTTPConnection(host, port, timeout=self._settings.timeout_s)


def _pointed(document: Any, pointer: str) -> Any:
    for step in pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        document = document[int(key)] if isinstance(document, list) else document[key]
    return document
