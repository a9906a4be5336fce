"""What a site's messages must be (RSMP core 3.1.1 to 3.2.2), checked field by field."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Id = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Text = Annotated[str, StringConstraints(max_length=4096)]
Number = Annotated[str, StringConstraints(pattern=r"^\d{1,2}\.\d{1,2}(\.\d{1,2})?$")]


class Received(BaseModel):
    """Base: unknown fields are passed over, as later versions add some."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)


class SiteId(Received):
    """One of the site's names."""

    sId: Text


class Supported(Received):
    """One RSMP version."""

    vers: Number


class Version(Received):
    """What the site speaks."""

    mId: Id
    RSMP: list[Supported] = Field(min_length=1, max_length=32)
    siteId: list[SiteId] = Field(min_length=1, max_length=32)
    SXL: Number


class Watchdog(Received):
    """The site is alive."""

    mId: Id
    wTs: Text


class AggregatedStatus(Received):
    """How the site is, in eight bits; old versions write them as text."""

    mId: Id
    cId: Text
    aSTS: Text
    se: list[bool | str] = Field(min_length=8, max_length=8)


class StatusValue(Received):
    """One value. q: recent, old, undefined or unknown."""

    sCI: Text
    n: Text
    s: Any = None
    q: Text


class StatusUpdate(Received):
    """Values of one component, also the answer to a request."""

    mId: Id
    cId: Text
    sTs: Text
    sS: list[StatusValue] = Field(min_length=1, max_length=256)


class Alarm(Received):
    """An alarm's news: a code, and whether it is on."""

    mId: Id
    cId: Text
    aCId: Text
    aS: Text | None = None


class Acknowledgement(Received):
    """MessageAck or MessageNotAck."""

    oMId: Id
    rea: Text | None = None


MODELS: dict[str, type[Received]] = {
    "Version": Version,
    "Watchdog": Watchdog,
    "AggregatedStatus": AggregatedStatus,
    "StatusUpdate": StatusUpdate,
    "StatusResponse": StatusUpdate,
    "Alarm": Alarm,
    "MessageAck": Acknowledgement,
    "MessageNotAck": Acknowledgement,
}
