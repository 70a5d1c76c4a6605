"""These tests run on the same machine as the end-to-end ones."""

from tests.end_to_end.conftest import graph, host, settings, storage

__all__ = ["graph", "host", "settings", "storage"]
