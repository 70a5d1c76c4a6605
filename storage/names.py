"""The names of the queues, for who needs them without the libraries."""

WORK = "work"
"""The queue of everything that time brings."""
CHECKS = "invitation-checks"
OUTCOMES = "invitation-outcomes"
"""Queues of the previous release, whose messages are still handled."""
