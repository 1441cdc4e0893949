"""The plots as one HTML file: no script, nothing from elsewhere, light or dark as its reader."""

from collections.abc import Sequence
from html import escape

import numpy as np

from chefmate.bag_plot import theme
from chefmate.bag_plot.drawing import SHORTEST_RATE_S
from chefmate.bag_plot.figures import svg
from chefmate.bag_plot.panels import sections
from chefmate.bag_plot.series import Recording
from chefmate_core.dataset_checks.page import heading, page, table

_STYLE = """
.plot { overflow-x: auto; } .plot svg { min-width: 760px; }
ul { margin: 0; padding-left: 20px; }
"""
_COLUMNS = (
    ('topic', 'text'),
    ('messages', 'number'),
    ('rate, 1/s', 'number'),
    ('longest pause, s', 'number'),
    ('age p50, ms', 'number'),
    ('age p99, ms', 'number'),
    ('unreadable', 'number'),
)


def html(
    recording: Recording,
    title: str,
    facts: Sequence[tuple[str, str]],
    findings: Sequence[str],
) -> str:
    """Return the document.

    Args:
        recording: what to draw.
        title: of the page.
        facts: (name, value), shown below it.
        findings: of the recorder's report.
    """
    parts = [f'<style>{theme.style_sheet()}{_STYLE}</style>', heading(title, facts)]
    if findings:
        rows = ''.join(f'<li>{escape(finding)}</li>' for finding in findings)
        parts.append(f'<h2>What the recorder found</h2><ul>{rows}</ul>')
    for number, section in enumerate(sections(recording)):
        parts.append(
            f'<h2>{escape(section.title)}</h2><div class="plot" role="img" '
            f'aria-label="{escape(section.title)}">{svg(section, number)}</div>'
        )
    if len(recording.instructions) > 1:
        rows = ''.join(
            f'<li>{time_s:.1f} s: {escape(text)}</li>' for time_s, text in recording.instructions
        )
        parts.append(f'<h2>Instructions</h2><ul>{rows}</ul>')
    parts.append(f'<h2>Topics</h2>{table(_COLUMNS, _topic_rows(recording))}')
    if recording.other_topics:
        others = ', '.join(recording.other_topics)
        parts.append(f'<p class="soft">Not drawn: {escape(others)}</p>')
    return page(title, parts)


def _topic_rows(recording: Recording) -> list[list[str]]:
    rows = []
    for topic, count in sorted(recording.messages.items()):
        arrivals = recording.arrivals.get(topic)
        cells = ['', '', '', '']
        if arrivals is not None and np.ptp(arrivals.received_s) >= SHORTEST_RATE_S:
            ages_ms = arrivals.age_s[np.isfinite(arrivals.age_s)] * 1e3
            cells[0] = f'{(len(arrivals) - 1) / np.ptp(arrivals.received_s):.1f}'
            cells[1] = f'{np.diff(arrivals.time_s).max():.3f}'
            if len(ages_ms):
                cells[2:] = [f'{np.quantile(ages_ms, share):.1f}' for share in (0.5, 0.99)]
        unreadable = recording.unreadable.get(topic, 0)
        rows.append([escape(topic), str(count), *cells, str(unreadable) if unreadable else ''])
    return rows
