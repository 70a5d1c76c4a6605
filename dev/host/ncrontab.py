"""Times at which a timer trigger is due: six-field NCRONTAB expressions and time spans.

https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer#ncrontab-expressions
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from dev.host.host_json import seconds

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_FIELDS = (
    ("second", 0, 59, ()),
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of week", 0, 6, _DAYS),
)
_ITEM = re.compile(r"(?:(\*)|(\w+)(?:-(\w+))?)(?:/(\d+))?")
_WITHOUT_SECONDS = 5
# 29 February comes again after eight years at most (around 2100).
_DAYS_AHEAD = 8 * 366 + 1


class Schedule:
    """When a timer is due, in UTC: ``{second} {minute} {hour} {day} {month} {day of week}`` or ``hh:mm:ss``."""

    def __init__(self, text: str) -> None:
        """Read a schedule.

        Raises:
            ValueError: It is neither an NCRONTAB expression nor a time span, or it never comes.
        """
        self.text = text
        self._every: timedelta | None = None
        self._fields: list[frozenset[int]] = []
        words = text.split()
        if len(words) == 1:
            self._every = timedelta(seconds=seconds(text))
            if not self._every:
                raise ValueError("a timer cannot be due all the time")
            return
        if len(words) == _WITHOUT_SECONDS:
            words.insert(0, "0")
        if len(words) != len(_FIELDS):
            raise ValueError(f"{text!r} is not a schedule: it needs six fields")
        self._fields = [_values(word, *field) for word, field in zip(words, _FIELDS, strict=True)]
        self.next_after(datetime(2000, 1, 1, tzinfo=UTC))

    def next_after(self, moment: datetime) -> datetime:
        """Return the first time after ``moment`` at which the timer is due."""
        if self._every is not None:
            return moment + self._every
        in_seconds, in_minutes, in_hours, in_days, in_months, in_week = self._fields
        start = moment.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
        for ahead in range(_DAYS_AHEAD):
            day = start.date() + timedelta(days=ahead)
            # Unlike cron's, both fields for days must fit.
            if day.month not in in_months or day.day not in in_days or day.isoweekday() % 7 not in in_week:
                continue
            times = (
                (hour, minute, second)
                for hour in sorted(in_hours)
                for minute in sorted(in_minutes)
                for second in sorted(in_seconds)
            )
            earliest = (start.hour, start.minute, start.second) if ahead == 0 else (0, 0, 0)
            for hour, minute, second in times:
                if (hour, minute, second) >= earliest:
                    return datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=UTC)
        raise ValueError(f"{self.text!r} never comes")


def _values(word: str, name: str, lowest: int, highest: int, names: tuple[str, ...]) -> frozenset[int]:
    def number(text: str) -> int:
        value = names.index(text.upper()) + lowest if text.upper() in names else int(text)
        if not lowest <= value <= highest:
            raise ValueError(text)
        return value

    def item(text: str) -> range:
        found = _ITEM.fullmatch(text)
        if found is None:
            raise ValueError(text)
        step = int(found[4] or 1)
        if found[1]:
            return range(lowest, highest + 1, step)
        first = number(found[2])
        last = number(found[3]) if found[3] else (highest if found[4] else first)
        return range(first, last + 1, step)

    try:
        return frozenset(value for text in word.split(",") for value in item(text))
    except ValueError as error:
        raise ValueError(f"{word!r} is not a {name} of a schedule") from error
