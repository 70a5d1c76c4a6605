"""The page of the API, generated from the same description as ``docs/openapi.yaml``."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from connector import openapi, reference


class _Page(HTMLParser):
    """The ids, links and elements of a page; an element that isn't closed in order is an error."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.elements: set[str] = set()
        self.words = ""
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        given = dict(attrs)
        self.ids += [given["id"] or ""] if "id" in given else []
        self.links += [given["href"] or ""] if "href" in given else []
        if tag != "meta":
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data

    def close(self) -> None:
        super().close()
        assert self._open == []


def _page() -> _Page:
    page = _Page()
    page.feed(reference.written())
    page.close()
    return page


def test_everything_is_on_the_page() -> None:
    """Each operation, object, property and status is there, with its words."""
    page, document = _page(), openapi.document()
    operations = [each for item in document["paths"].values() for each in item.values()]
    objects = document["components"]["schemas"]
    assert page.ids == [each["operationId"] for each in operations] + list(objects)
    words = " ".join(page.words.split())
    for each in [*operations, *(member for one in objects.values() for member in one.get("properties", {}).values())]:
        assert " ".join(each.get("description", "").split()) in words
    for one in objects.values():
        assert all(name in words for name in one.get("properties", {}))


def test_links_lead_somewhere() -> None:
    """Every link is to a part of this page."""
    page = _page()
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))


def test_nothing_is_loaded() -> None:
    """The page needs no third party: no script, no image, nothing by a URL."""
    assert not _page().elements & {"script", "link", "img", "iframe", "object", "embed", "base"}
    assert not re.search(r"url\(|@import|(?:src|href)=.?(?:https?:)?//", reference.written())
