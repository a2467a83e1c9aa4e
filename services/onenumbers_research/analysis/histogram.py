"""A histogram of a number as an SVG image: observed shares with their intervals beside the base rates."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

from onenumbers_research.analysis.patterns import ValueCount

_WIDTH: Final = 800
_HEIGHT: Final = 460
_LEFT: Final = 64
_RIGHT: Final = 24
_TOP: Final = 96
_BOTTOM: Final = 84
_PLOT_WIDTH: Final = _WIDTH - _LEFT - _RIGHT
_PLOT_HEIGHT: Final = _HEIGHT - _TOP - _BOTTOM
_BAR_SHARE: Final = 0.56
_MAX_TEXT: Final = 110
"""Characters of a line of text that fit into the image."""
_BAR: Final = "#7aa6c9"
_MARKED_BAR: Final = "#2f6690"
_LINE: Final = "#1b1b1b"
_EXPECTED: Final = "#c1440e"
_GRID: Final = "#dddddd"
_TICKS: Final = 6
_STEPS: Final = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 25)
"""Distances of lines in per cent."""
_OPENING: Final = (
    f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
    f'role="img" font-family="Helvetica, Arial, sans-serif" font-size="13" fill="{_LINE}">'
)


@dataclass(frozen=True, slots=True)
class Caption:
    """The words of a histogram."""

    title: str
    subtitle: str
    footnote: str
    expected: str
    """What the expected shares are; empty where there are none."""


def histogram_svg(values: Sequence[ValueCount], caption: Caption, *, marked: int | None = None) -> bytes:
    """Returns the image, UTF-8.

    Args:
        values: Values in the order of the bars. Without people in any, the base rates alone are drawn.
        caption: The words.
        marked: A value to point out, or None.
    """
    cases = sum(each.observed for each in values)
    step, top = _scale(max(max(each.high, each.rate) for each in values) * 100)
    parts = [
        _OPENING,
        f"<title>{escape(caption.title)}</title>",
        f"<desc>{escape(_description(values, cases))}</desc>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>',
        _text(_LEFT, 26, _cut(caption.title), size=18, weight="bold"),
        _text(_LEFT, 46, _cut(caption.subtitle)),
        *_legend(caption, observed=bool(cases)),
        *_grid(step, top),
        *_bars(values, cases, top, marked),
        _text(_LEFT, _HEIGHT - 14, _cut(caption.footnote), size=12),
        "</svg>",
    ]
    return "\n".join(parts).encode()


def _scale(largest: float) -> tuple[float, float]:
    """Returns the distance of the lines and the highest one, in per cent."""
    step = next((step for step in _STEPS if largest <= step * _TICKS), _STEPS[-1])
    return step, max(step, min(100.0, math.ceil(largest / step) * step))


def _y(share: float, top: float) -> float:
    return _TOP + _PLOT_HEIGHT * (1 - share * 100 / top)


def _grid(step: float, top: float) -> Iterator[str]:
    for index in range(round(top / step) + 1):
        level = index * step
        y = _y(level / 100, top)
        yield f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{_WIDTH - _RIGHT}" y2="{y:.1f}" stroke="{_GRID}"/>'
        yield _text(_LEFT - 8, y + 4, f"{level:g} %", anchor="end", size=12)


def _bars(values: Sequence[ValueCount], cases: int, top: float, marked: int | None) -> Iterator[str]:
    slot = _PLOT_WIDTH / len(values)
    base = _y(0, top)
    for index, each in enumerate(values):
        centre = _LEFT + (index + 0.5) * slot
        half = slot * _BAR_SHARE / 2
        share = each.observed / cases if cases else each.rate
        y = _y(share, top)
        colour = _MARKED_BAR if each.number == marked else _BAR
        box = f'x="{centre - half:.1f}" y="{y:.1f}" width="{2 * half:.1f}" height="{base - y:.1f}"'
        yield f'<rect {box} fill="{colour}"/>'
        label = y
        if cases:
            low, high = _y(each.low, top), _y(each.high, top)
            label = high
            yield f'<path d="M{centre:.1f} {low:.1f}V{high:.1f}" stroke="{_LINE}" stroke-width="1.5"/>'
            for end in (low, high):
                yield f'<path d="M{centre - 5:.1f} {end:.1f}h10" stroke="{_LINE}" stroke-width="1.5"/>'
        if cases and each.test is not None:
            rate = _y(each.rate, top)
            yield (
                f'<path d="M{centre - half - 5:.1f} {rate:.1f}h{2 * half + 10:.1f}" stroke="{_EXPECTED}" '
                'stroke-width="3" stroke-dasharray="6 3"/>'
            )
            label = min(label, rate)
        count = str(each.observed) if cases else f"{each.rate:.1%}"
        yield _text(centre, label - 6, count, anchor="middle", size=12)
        weight = "bold" if each.number == marked else "normal"
        yield _text(centre, base + 20, str(each.number), anchor="middle", size=14, weight=weight)
    yield f'<line x1="{_LEFT}" y1="{base:.1f}" x2="{_WIDTH - _RIGHT}" y2="{base:.1f}" stroke="{_LINE}"/>'
    unit = "people" if cases else "rates"
    yield _text(_LEFT + _PLOT_WIDTH / 2, base + 40, f"value; figures on the bars are {unit}", anchor="middle", size=12)


def _legend(caption: Caption, *, observed: bool) -> Iterator[str]:
    if not observed:
        yield f'<rect x="{_LEFT}" y="62" width="14" height="12" fill="{_BAR}"/>'
        yield _text(_LEFT + 22, 73, caption.expected, size=12)
        return
    yield f'<rect x="{_LEFT}" y="62" width="14" height="12" fill="{_BAR}"/>'
    yield f'<path d="M{_LEFT + 7} 58v20M{_LEFT + 3} 58h8M{_LEFT + 3} 78h8" stroke="{_LINE}" stroke-width="1.5"/>'
    yield _text(_LEFT + 22, 73, "observed, with the 95 % Wilson interval", size=12)
    if caption.expected:
        x = _LEFT + 290
        yield f'<path d="M{x} 68h24" stroke="{_EXPECTED}" stroke-width="3" stroke-dasharray="6 3"/>'
        yield _text(x + 32, 73, caption.expected, size=12)


def _text(x: float, y: float, text: str, *, anchor: str = "start", size: int = 13, weight: str = "normal") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" font-weight="{weight}">'
        f"{escape(text)}</text>"
    )


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_TEXT else text[: _MAX_TEXT - 1].rstrip() + "…"


def _description(values: Sequence[ValueCount], cases: int) -> str:
    if not cases:
        return "; ".join(f"{each.number}: {each.rate:.4f}" for each in values)
    return "; ".join(
        f"{each.number}: {each.observed} of {cases}"
        + (f", expected {each.rate * cases:.1f}" if each.test is not None else "")
        for each in values
    )
