"""Charts as SVG without script or style in them, coloured by the stylesheet, with their figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree as ET

import pygal
from django.utils.safestring import SafeString, mark_safe
from pygal.style import Style

from web.shared.writing import NONE, plain_number

Values = Sequence[Decimal | int | None]
WIDTH, HEIGHT = 560, 220
FONT_SIZE = 13  # as in static/css/charts.css; room for the labels is left by it
# pygal's own ways to react to the pointer need its script.
_SCRIPTED = {"tooltip-overlay", "text-overlay"}


@dataclass(frozen=True)
class Chart:
    """A picture and the same as a table: `{% include "components/_chart.html" with chart=… %}`."""

    title: str
    svg: SafeString
    headings: list[str]
    rows: list[list[str]]
    is_empty: bool = False


def bar_chart(
    title: str, labels: Sequence[str], series: Mapping[str, Values], *, unit: str = ""
) -> Chart:
    """Bars side by side, for amounts by month, reseller or product."""
    return _chart(pygal.Bar, title, labels, series, unit)


def stacked_chart(
    title: str, labels: Sequence[str], series: Mapping[str, Values], *, unit: str = ""
) -> Chart:
    """Bars on top of each other, for parts of a whole."""
    return _chart(pygal.StackedBar, title, labels, series, unit)


def line_chart(
    title: str, labels: Sequence[str], series: Mapping[str, Values], *, unit: str = ""
) -> Chart:
    """Lines, for what goes on from day to day."""
    return _chart(pygal.Line, title, labels, series, unit)


def ranking_chart(title: str, values: Mapping[str, Decimal | int], *, unit: str = "") -> Chart:
    """Bars across, the first on top, for the largest of many."""
    turned = dict(reversed(list(values.items())))
    chart = _chart(pygal.HorizontalBar, title, list(turned), {title: list(turned.values())}, unit)
    return replace(chart, title=title, rows=chart.rows[::-1])


def _chart(
    kind: Any, title: str, labels: Sequence[str], series: Mapping[str, Values], unit: str
) -> Chart:
    picture = kind(
        width=WIDTH,
        height=HEIGHT,
        margin=8,
        js=[],
        style=Style(
            label_font_size=FONT_SIZE,
            major_label_font_size=FONT_SIZE,
            legend_font_size=FONT_SIZE,
        ),
        show_legend=len(series) > 1,
        legend_at_bottom=True,
        legend_box_size=10,
        max_scale=6,
        dots_size=3,
        truncate_label=24,
        truncate_legend=32,
        show_minor_x_labels=True,
        value_formatter=lambda value: f"{value:,.10g}",
    )
    picture.x_labels = _thinned(labels)
    for name, values in series.items():
        # A picture is drawn to the pixel; the exact values are in the table.
        picture.add(name, [None if value is None else float(value) for value in values])
    suffix = f" ({unit})" if unit else ""
    return Chart(
        title=f"{title}{suffix}",
        svg=_svg(picture.render_tree(), f"{title}{suffix}; its figures are in the table below"),
        headings=["", *(f"{name}{suffix}" for name in series)],
        rows=[
            [label, *(NONE if value is None else plain_number(value) for value in values)]
            for label, *values in zip(labels, *series.values(), strict=True)
        ],
        is_empty=not any(value for values in series.values() for value in values),
    )


def _thinned(labels: Sequence[str]) -> list[str]:
    """At most 16 labels below the axis; the others would run into them."""
    step = -(-len(labels) // 16) or 1
    return [label if at % step == 0 else "" for at, label in enumerate(labels)]


def _svg(root: ET.Element, title: str) -> SafeString:
    for parent in list(root.iter()):
        for child in list(parent):
            if _is_unwanted(child):
                parent.remove(child)
        _name_values(parent)
        parent.attrib.pop("id", None)
        parent.attrib.pop("style", None)
    root.set("class", "chart-svg")
    root.set("role", "img")
    root.set("aria-label", title)
    # ElementTree has escaped every label.
    return mark_safe(ET.tostring(root, encoding="unicode"))  # noqa: S308


def _is_unwanted(element: ET.Element) -> bool:
    classes = set(element.get("class", "").split())
    return (
        not isinstance(element.tag, str)  # a comment
        or element.tag in ("defs", "script", "style")
        or (element.tag == "title" and element.text == "Pygal")
        or bool(classes & _SCRIPTED)
    )


def _name_values(element: ET.Element) -> None:
    """Turn what pygal keeps for its script into what browsers show beside the pointer."""
    notes = {note.get("class", ""): note for note in element.findall("desc")}
    for note in notes.values():
        element.remove(note)
    if "value" in notes:
        label = notes.get("x_label")
        words = [label.text if label is not None else None, notes["value"].text]
        ET.SubElement(element, "title").text = ": ".join(word for word in words if word)
