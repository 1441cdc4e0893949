"""Line plots and histograms as SVG; colours come from the page's style sheet by class."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

_MOST_POINTS = 300
_WIDTH, _HEIGHT = 320, 150
_LEFT, _RIGHT, _TOP, _BOTTOM = 40, 8, 8, 22


@dataclass(frozen=True)
class Line:
    """One line of a plot; `kind` is its class in the style sheet."""

    name: str
    x: np.ndarray  # (N,) ascending
    y: np.ndarray  # (N,)
    kind: str


def line_plot(title: str, lines: Sequence[Line], x_unit: str) -> str:
    """Return a plot of lines over a common axis; values that are not finite leave gaps."""
    axes = _Axes(
        _extent([line.x for line in lines], 0.0), _extent([line.y for line in lines], 0.06)
    )
    parts = [axes.svg(x_unit)]
    for line in lines:
        for piece in _pieces(*thinned(line.x, line.y)):
            points = ' '.join(f'{axes.x(x):.1f},{axes.y(y):.1f}' for x, y in piece)
            parts.append(f'<polyline class="{escape(line.kind)}" points="{points}"/>')
    names = ', '.join(line.name for line in lines)
    return _figure(title, f'{title}: {names}', parts)


def histogram(title: str, values: np.ndarray, unit: str, bins: int = 24) -> str:
    """Return how often values occur; those that are not finite are left out."""
    values = np.asarray(values, dtype=float).ravel()
    values = values[np.isfinite(values)]
    if not len(values):
        return _figure(title, f'{title}: no values', [])
    counts, edges = np.histogram(values, bins=bins)
    # At least four high, so that the marks of the counts are whole.
    axes = _Axes((float(edges[0]), float(edges[-1])), (0.0, max(float(counts.max()), 4.0)))
    parts = [axes.svg(unit)]
    for count, left, right in zip(counts, edges[:-1], edges[1:], strict=True):
        if count:
            top = axes.y(float(count))
            parts.append(
                f'<rect class="bar" x="{axes.x(left):.1f}" y="{top:.1f}" '
                f'width="{max(axes.x(right) - axes.x(left) - 1, 1):.1f}" '
                f'height="{axes.y(0.0) - top:.1f}"/>'
            )
    span = f'{title}: {len(values)} values from {values.min():.4g} to {values.max():.4g} {unit}'
    return _figure(title, span, parts)


def thinned(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return at most about 300 points; the least and greatest of each stretch stay."""
    if len(x) <= _MOST_POINTS:
        return x, y
    kept = []
    for part in np.array_split(np.arange(len(x)), _MOST_POINTS // 2):
        values = y[part]
        if np.isfinite(values).all():
            kept += sorted({int(part[np.argmin(values)]), int(part[np.argmax(values)])})
        else:
            kept += part.tolist()  # a gap must not be lost
    return x[kept], y[kept]


class _Axes:
    """Maps values to the picture, and draws the frame with its numbers."""

    def __init__(self, x_range: tuple[float, float], y_range: tuple[float, float]) -> None:
        self._x, self._y = x_range, y_range

    def x(self, value: float) -> float:
        low, high = self._x
        return _LEFT + (value - low) / (high - low) * (_WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        low, high = self._y
        return _HEIGHT - _BOTTOM - (value - low) / (high - low) * (_HEIGHT - _TOP - _BOTTOM)

    def svg(self, unit: str) -> str:
        parts = []
        for value in nice_ticks(*self._y, 4):
            y = self.y(value)
            parts.append(
                f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" '
                f'y2="{y:.1f}"/><text x="{_LEFT - 4}" y="{y + 3.5:.1f}" '
                f'text-anchor="end">{value:g}</text>'
            )
        marks = nice_ticks(*self._x, 5)
        for place, value in enumerate(marks):
            text = f'{value:g} {escape(unit)}' if place == len(marks) - 1 else f'{value:g}'
            x = self.x(value)
            anchor = 'end' if x > _WIDTH - 24 else 'middle'
            parts.append(
                f'<text x="{x:.1f}" y="{_HEIGHT - 7}" text-anchor="{anchor}">{text}</text>'
            )
        return ''.join(parts)


def nice_ticks(low: float, high: float, wanted: int) -> list[float]:
    """Return round numbers within a range, about `wanted` of them."""
    step = (high - low) / wanted
    magnitude = 10.0 ** np.floor(np.log10(step))
    step = float(min((m for m in (1, 2, 5, 10) if m * magnitude >= step), default=10) * magnitude)
    first = int(np.ceil(low / step - 1e-9))
    last = int(np.floor(high / step + 1e-9))
    return [round(index * step, 10) + 0.0 for index in range(first, last + 1)]


def _extent(arrays: Sequence[np.ndarray], margin: float) -> tuple[float, float]:
    values = np.concatenate([np.asarray(array, dtype=float) for array in arrays])
    values = values[np.isfinite(values)]
    if not len(values):
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    if high - low < 1e-9 * max(1.0, abs(low)):
        return low - 0.5, high + 0.5
    return low - margin * (high - low), high + margin * (high - low)


def _pieces(x: np.ndarray, y: np.ndarray) -> list[list[tuple[float, float]]]:
    pieces: list[list[tuple[float, float]]] = [[]]
    for one, other in zip(x, y, strict=True):
        if np.isfinite(one) and np.isfinite(other):
            pieces[-1].append((float(one), float(other)))
        elif pieces[-1]:
            pieces.append([])
    return [piece for piece in pieces if piece]


def _figure(title: str, description: str, parts: Sequence[str]) -> str:
    return (
        f'<figure><figcaption>{escape(title)}</figcaption>'
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(description)}">'
        f'{"".join(parts)}</svg></figure>'
    )
