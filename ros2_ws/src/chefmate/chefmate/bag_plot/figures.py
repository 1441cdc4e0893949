"""The sections as one PNG, or each as an SVG."""

import re
from collections.abc import Sequence
from io import BytesIO, StringIO

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from chefmate.bag_plot import theme
from chefmate.bag_plot.drawing import shortened
from chefmate.bag_plot.panels import Section, sections
from chefmate.bag_plot.paper import WIDTH_IN, Paper
from chefmate.bag_plot.series import Recording

_DPI = 110
_HEAD_IN, _TITLE_IN = 0.85, 0.3


def png(recording: Recording, title: str, facts: Sequence[tuple[str, str]]) -> bytes:
    """Return all sections one below the other, under the values of `facts` (name, value)."""
    parts = sections(recording)
    height_in = _HEAD_IN + sum(part.height_in + _TITLE_IN for part in parts)
    with matplotlib.rc_context(dict(theme.STYLE)):
        figure = Figure((WIDTH_IN, height_in), dpi=_DPI)
        FigureCanvasAgg(figure)
        head = Paper(figure)
        head.text(0.32, title, fontsize=15, fontweight='bold')
        subtitle = ' · '.join(shortened(value, 70) for _, value in facts)
        head.text(0.6, subtitle, fontsize=9.5, color=theme.SOFT)
        top_in = _HEAD_IN
        for part in parts:
            Paper(figure, top_in).text(0.2, part.title, fontsize=11.5, fontweight='bold')
            part.draw(Paper(figure, top_in + _TITLE_IN))
            top_in += part.height_in + _TITLE_IN
        content = BytesIO()
        figure.savefig(content, format='png')
    return content.getvalue()


def svg(part: Section, number: int) -> str:
    """Return one section as an SVG element for an HTML page with `theme.style_sheet()`.

    Args:
        part: what to draw.
        number: of the section in its page: names inside the drawing must not be used twice.
    """
    with matplotlib.rc_context(dict(theme.STYLE) | {'svg.hashsalt': f'chefmate {number}'}):
        figure = Figure((WIDTH_IN, part.height_in))
        FigureCanvasSVG(figure)
        figure.patch.set_visible(False)
        part.draw(Paper(figure))
        content = StringIO()
        figure.savefig(content, format='svg', metadata={'Date': None})
    drawn = content.getvalue()
    drawn = drawn[drawn.index('<svg') :]
    drawn = re.sub(r'<metadata>.*?</metadata>', '', drawn, flags=re.DOTALL)
    drawn = re.sub(r' d="[^"]*"', _rounded, drawn)
    # Numbered by matplotlib in every drawing anew, and referred to by nothing.
    drawn = re.sub(r' id="[A-Za-z0-9]+_\d+"', '', drawn)
    drawn = re.sub(r'font-family: [^;"]*', 'font-family: system-ui, sans-serif', drawn)
    return theme.with_named_colours(drawn)


def _rounded(path: re.Match[str]) -> str:
    """Cut a path's numbers to hundredths of a point."""
    return re.sub(r'(\.\d\d)\d+', r'\1', path[0])
