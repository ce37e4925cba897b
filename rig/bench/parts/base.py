"""What all parts of a bench file have in common."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,40}$")]
Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0, le=3600)]
HardwareAddress = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{2}(:[0-9a-f]{2}){5}$")]
Ipv4Address = Annotated[str, AfterValidator(lambda address: str(ipaddress.IPv4Address(address)))]


class WrongField(ValueError):
    """A field that is wrong in the light of others, with its place below the part that was checked."""

    def __init__(self, message: str, *place: str) -> None:
        super().__init__(message)
        self.place = place


class Part(BaseModel):
    """A mapping of a bench file; a key that it does not know is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def listed(names: Iterable[str]) -> str:
    """Names, for a message."""
    return ", ".join(names) or "there are none"
