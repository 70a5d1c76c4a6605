"""What leaves a queue or timer function towards the host."""

from __future__ import annotations

import asyncio
import traceback
from typing import TYPE_CHECKING

import pytest

from observability.failures import TriggerFailedError, contained

if TYPE_CHECKING:
    from collections.abc import Callable

NUMBER = "+4915112345678"


def fails() -> None:
    """An error with a cause, a context and a note."""
    try:
        int(NUMBER + "x")
    except ValueError as error:
        error.add_note(f"a note on {NUMBER}")
        raise KeyError(NUMBER) from error


def in_a_function() -> None:
    """As a timer's function."""
    with contained():
        fails()


async def in_a_coroutine() -> None:
    """As the function of a queue."""
    with contained():
        await asyncio.sleep(0)
        fails()


@pytest.mark.swallows
@pytest.mark.parametrize("work", [in_a_function, lambda: asyncio.run(in_a_coroutine())])
def test_one_bare_error(work: Callable[[], None], caplog: pytest.LogCaptureFixture) -> None:
    """The host gets an error of ours, without any text of the causes; the log has the trace."""
    with pytest.raises(TriggerFailedError) as raised:
        work()
    assert NUMBER not in "".join(traceback.format_exception(raised.value))
    assert "KeyError" not in "".join(traceback.format_exception(raised.value))
    (record,) = caplog.records
    assert (record.levelname, record.getMessage()) == ("ERROR", "unforeseen")
    assert "KeyError" in (record.exc_text or "") + str(record.exc_info)


def test_expected(caplog: pytest.LogCaptureFixture) -> None:
    """An error that a retry cures is a warning without a trace."""
    with pytest.raises(TriggerFailedError), contained(ConnectionError, KeyError):
        fails()
    (record,) = caplog.records
    assert (record.levelname, record.getMessage()) == ("WARNING", "a function failed and is tried again kind=KeyError")
    assert not record.exc_info


def test_well() -> None:
    """Without an error nothing is added."""
    with contained():
        pass
