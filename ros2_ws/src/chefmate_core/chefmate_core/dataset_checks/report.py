"""`report`: a data set or a session as one HTML page with pictures."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

import numpy as np

from chefmate_core.dataset_checks import page
from chefmate_core.dataset_checks.check import examine
from chefmate_core.dataset_checks.episode_data import EpisodeData
from chefmate_core.dataset_checks.examination import Examination
from chefmate_core.dataset_checks.findings import Finding
from chefmate_core.dataset_checks.inline_images import jpeg_uri
from chefmate_core.dataset_checks.motion_checks import first_motion_row
from chefmate_core.dataset_checks.svg import Line, histogram, line_plot
from chefmate_core.joints import JOINT_NAMES

MOST_EPISODES = 40  # with pictures: a page of 20 MB helps nobody
_OPEN_EPISODES = 2
_MOST_VALUES = 50_000  # for a histogram
_COLUMNS = (
    ('episode', 'number'),
    ('instruction', 'text'),
    ('frames', 'number'),
    ('s', 'number'),
    ('first motion, s', 'number'),
    ('action - state, mean', 'number'),
    ('findings', 'number'),
)


def report(
    path: str | Path, destination: str | Path, most_episodes: int = MOST_EPISODES
) -> list[Finding]:
    """Write the page and return the findings in it; `most_episodes` have pictures.

    Raises:
        OSError: the page cannot be written.
    """
    gathered = _Gathered(most_episodes)
    examination = examine(path, gathered.visit)
    document = page.page(f'{Path(path).resolve().name}: report', _sections(examination, gathered))
    target = Path(destination)
    partial = target.with_name(f'.{target.name}.partial')
    partial.write_text(document, encoding='utf-8')
    os.replace(partial, target)
    return examination.findings


@dataclass
class _Row:
    """What the table says of an episode."""

    number: int
    instruction: str
    length: int
    duration_s: float
    first_motion_s: float | None
    difference: float


@dataclass
class _Gathered:
    """What the page shows of the episodes; pictures become text at once, to need little memory."""

    most_episodes: int
    rows: list[_Row] = field(default_factory=list)
    sections: list[str] = field(default_factory=list)
    states: list[np.ndarray] = field(default_factory=list)
    differences: list[np.ndarray] = field(default_factory=list)

    def visit(self, episode: EpisodeData) -> None:
        same = episode.state.shape == episode.action.shape
        difference = episode.action - episode.state if same else np.zeros((0, 0))
        motion = first_motion_row(episode.state) if episode.length else None
        self.rows.append(
            _Row(
                number=episode.number,
                instruction=episode.instruction,
                length=episode.length,
                duration_s=episode.duration_s,
                first_motion_s=None if motion is None else motion / episode.fps,
                difference=float(np.abs(difference).mean()) if difference.size else np.nan,
            )
        )
        self.states.append(episode.state)
        self.differences.append(difference)
        if len(self.sections) < self.most_episodes:
            self.sections.append(_episode(episode, len(self.sections) < _OPEN_EPISODES))


def _sections(examination: Examination, gathered: _Gathered) -> list[str]:
    rows = gathered.rows
    frames, duration_s = sum(row.length for row in rows), sum(row.duration_s for row in rows)
    facts = [
        ('format', examination.format or 'unknown'),
        ('robot', examination.robot_type or 'unknown'),
        ('episodes', str(len(rows))),
        ('frames', f'{frames} at {examination.fps} a second'),
        ('duration', f'{duration_s / 60:.1f} min' if duration_s >= 90 else f'{duration_s:.1f} s'),
        ('cameras', ', '.join(examination.cameras) or 'none'),
        ('tasks', str(len({row.instruction for row in rows}))),
    ]
    sections = [
        page.heading(examination.path.resolve().name, facts),
        page.findings_section(examination.findings),
    ]
    if not rows:
        return sections
    return [
        *sections,
        '<h2>Episodes</h2>',
        _table(rows, examination.findings, len(gathered.sections)),
        '<h2>Distributions</h2>',
        _histograms(examination, gathered),
        '<h2>Episodes in pictures</h2>',
        '<p class="soft">'
        f'{len(gathered.sections)} of {len(rows)} episodes. Positions in the units of the data '
        f'set{" (-100..100)" if examination.format == "session" else ""}, time in seconds.</p>',
        page.key(),
        *gathered.sections,
    ]


def _table(rows: Sequence[_Row], findings: Sequence[Finding], pictured: int) -> str:
    count = Counter(finding.where.episode for finding in findings)
    cells = []
    for place, row in enumerate(rows):
        number = str(row.number)
        if place < pictured:
            number = f'<a href="#episode-{row.number}">{row.number}</a>'
        motion = 'never' if row.first_motion_s is None else f'{row.first_motion_s:.1f}'
        difference = f'{row.difference:.1f}' if np.isfinite(row.difference) else ''
        cells.append([
            number, escape(row.instruction), str(row.length), f'{row.duration_s:.1f}', motion,
            difference, str(count[row.number]),
        ])  # fmt: skip
    return page.table(_COLUMNS, cells)


def _histograms(examination: Examination, gathered: _Gathered) -> str:
    durations_s = np.array([row.duration_s for row in gathered.rows])
    figures = [histogram('duration of episodes', durations_s, 's', bins=min(24, len(durations_s)))]
    width = gathered.states[0].shape[1]
    states = [state for state in gathered.states if state.shape[1] == width]
    together = np.concatenate(states)
    step = max(1, len(together) // _MOST_VALUES)
    names = _joint_names(width)
    figures += [
        histogram(name, together[::step, place], 'units') for place, name in enumerate(names)
    ]
    difference = [part.ravel() for part in gathered.differences if part.size]
    if difference:
        flat = np.concatenate(difference)
        flat = flat[:: max(1, len(flat) // _MOST_VALUES)]
        figures.append(histogram('action minus state, all joints', flat, 'units'))
    return f'<div class="grid-of">{"".join(figures)}</div>'


def _episode(episode: EpisodeData, is_open: bool) -> str:
    strips = [
        page.filmstrip(
            name,
            [(f'{row / episode.fps:.1f} s', jpeg_uri(image)) for row, image in pictures.strip],
        )
        for name, pictures in episode.cameras.items()
    ]
    time_s = np.arange(episode.length) / episode.fps
    plots = []
    for place, name in enumerate(_joint_names(episode.state.shape[1])):
        lines = [Line('state', time_s, episode.state[:, place], 'state')]
        if place < episode.action.shape[1]:
            lines.append(Line('action', time_s, episode.action[:, place], 'action'))
        plots.append(line_plot(name, lines, 's'))
    summary = (
        f'Episode {episode.number}: {episode.instruction or "(no instruction)"} '
        f'({episode.length} frames, {episode.duration_s:.1f} s)'
    )
    parts = [*strips, '<h3>joints</h3>', f'<div class="grid-of">{"".join(plots)}</div>']
    return page.episode_section(f'episode-{episode.number}', summary, parts, is_open)


def _joint_names(width: int) -> Sequence[str]:
    if width == len(JOINT_NAMES):
        return JOINT_NAMES
    return [f'number {place}' for place in range(width)]
