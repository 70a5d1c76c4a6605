"""The parts of ``host.json`` that the local host uses, with the defaults of the real one.

https://learn.microsoft.com/azure/azure-functions/functions-host-json
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from dev.host.errors import CannotStart

if TYPE_CHECKING:
    from pathlib import Path

_TIME_SPAN = re.compile(r"(\d{1,2}):(\d{1,2}):(\d{1,2})")


def _seconds(value: Any) -> Any:
    found = _TIME_SPAN.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("not a time span such as 00:00:30")
    hours, minutes, seconds = map(int, found.groups())
    return (hours * 60 + minutes) * 60 + seconds


Seconds = Annotated[float, BeforeValidator(_seconds)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=to_camel, validate_by_name=True, strict=True)


class QueueOptions(_Section):
    """``extensions.queues``."""

    message_encoding: Literal["base64", "none"] = "base64"
    max_polling_interval: Seconds = 60.0
    visibility_timeout: Seconds = 0.0
    batch_size: int = Field(default=16, ge=1, le=32)
    new_batch_threshold: int | None = Field(default=None, ge=0)
    max_dequeue_count: int = Field(default=5, ge=1)

    @property
    def threshold(self) -> int:
        """The number of running messages at which the next batch is fetched."""
        return self.batch_size // 2 if self.new_batch_threshold is None else self.new_batch_threshold


class HttpOptions(_Section):
    """``extensions.http``."""

    route_prefix: str = "api"


class _Extensions(_Section):
    http: HttpOptions = HttpOptions()
    queues: QueueOptions = QueueOptions()


class HostOptions(_Section):
    """``host.json``."""

    extensions: _Extensions = _Extensions()


def read(file: Path) -> HostOptions:
    """Read ``host.json``.

    Raises:
        CannotStart: The file is missing, or has a value that the real host would refuse.
    """
    try:
        return HostOptions.model_validate_json(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise CannotStart(f"{file} cannot be read ({error.strerror}): start in the folder of the app.") from error
    except ValidationError as error:
        faults = (f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise CannotStart(f"{file}: {'; '.join(faults)}") from error
