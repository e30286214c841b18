"""From a page to a PDF; fonts and style sheets are read once per process."""

import gc
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, lru_cache
from pathlib import Path
from xml.etree import ElementTree

from cssselect2 import ElementWrapper  # type: ignore[import-untyped]
from django.conf import settings
from django.template.loader import render_to_string
from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher

from billing.documents.sheet import Sheet

TEMPLATE = "documents/document.html"
STYLE_SHEET = "templates/documents/document.css"
HTML_STYLE = """
    head, title, meta { display: none }
    html, body, div, p, h1 { display: block }
    table { display: table }
    colgroup { display: table-column-group }
    col { display: table-column }
    thead { display: table-header-group }
    tbody { display: table-row-group }
    tr { display: table-row }
    td { display: table-cell }
    b, h1 { font-weight: bold }
"""
# Put into the style sheet as text: custom properties make WeasyPrint a tenth slower.
ACCENT = "ACCENT"
# Names and descriptions are other people's text: a document fetches nothing, from nowhere. Its logo
# comes within it.
FETCHER = URLFetcher(allowed_protocols=["data"], fail_on_errors=True)
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_pdf(page: Sheet, template: str = TEMPLATE) -> bytes:
    """The document on as many pages of A4 as it takes; `template` (XML) calls it `page`."""
    text = _NOT_IN_XML.sub("", render_to_string(template, {"page": page}))
    with _no_collection():
        html = _WellFormedHTML(text)
        pdf: bytes = html.write_pdf(stylesheets=[_style_sheet(page.accent)], font_config=_fonts())
    return pdf


class _WellFormedHTML(HTML):  # type: ignore[misc]
    """HTML that is XML, read by the standard library's parser, an order faster than HTML5's."""

    def __init__(self, text: str) -> None:
        root = ElementTree.fromstring(text)  # noqa: S314 - our own template, escaped by Django
        self.base_url = None
        self.url_fetcher = FETCHER
        self.media_type = "print"
        self.wrapper_element = ElementWrapper.from_html_root(root, content_language=None)
        self.etree_element = root

    def _ua_stylesheets(self, forms: bool = False) -> list[CSS]:
        # What the templates use of HTML's own style sheet, which is matched against each element.
        return [_html_style_sheet()]


@contextmanager
def _no_collection() -> Iterator[None]:
    """Looking for cycles among a document's many boxes takes a fifth of its time, for nothing."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@cache
def _fonts() -> FontConfiguration:
    return FontConfiguration()


@cache
def _html_style_sheet() -> CSS:
    return CSS(string=HTML_STYLE, font_config=_fonts(), url_fetcher=FETCHER)


@lru_cache(maxsize=64)
def _style_sheet(accent: str) -> CSS:
    text = (Path(settings.BASE_DIR) / STYLE_SHEET).read_text().replace(ACCENT, accent)
    return CSS(string=text, font_config=_fonts(), url_fetcher=FETCHER)
