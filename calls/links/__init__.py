"""What people paste, turned into a meeting: parsed, never fetched."""

from calls.links.parsing import parse_meeting
from calls.links.refusals import MeetingRefused

__all__ = ["MeetingRefused", "parse_meeting"]
