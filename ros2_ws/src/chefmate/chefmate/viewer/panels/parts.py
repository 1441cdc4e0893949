"""Every part of the robot on a line: is it well, how often does it speak, how old is its word."""

import math
from collections.abc import Iterator
from html import escape

import numpy as np
import viser

from chefmate.viewer.feeds import Feeds, Servos
from chefmate.viewer.health import ARM, EXECUTOR, PHYSICS, POLICY, TELEOP, TWIN, Health
from chefmate.viewer.panels.plots import TITLES
from chefmate.viewer.story import Tone
from chefmate_core.joints import JOINT_NAMES

LEVELS = {0: Tone.GOOD, 1: Tone.WARNING, 2: Tone.BAD}
PARTS = (
    ('Arm', ARM),
    ('Motion', EXECUTOR),
    ('Policy', POLICY),
    ('Hand', TELEOP),
    ('Twin', TWIN),
    ('Kitchen', PHYSICS),
)
WARM_C, HOT_C, SCALE_C = 50.0, 60.0, (20.0, 80.0)
TABLE = 'width:100%;border-collapse:collapse;font-size:13px'
CELL = 'padding:3px 6px 3px 0;border-bottom:1px solid #8883;vertical-align:top'
NOTHING = '-'


class PartsPanel:
    """Three small tables."""

    def __init__(self, gui: viser.GuiApi) -> None:
        self._handle = gui.add_html('')

    def draw(self, feeds: Feeds, health: Health, now_s: float) -> None:
        """Show how everything is."""
        content = ''.join((
            _table(('Part', 'It says'), _parts(health, now_s)),
            _table(('What', 'How often', 'How old'), _streams(feeds, health, now_s)),
            _servos(feeds.servos.fresh(now_s, 5.0)),
            _twin(feeds, now_s),
        ))  # fmt: skip
        if self._handle.content != content:
            self._handle.content = content


def _parts(health: Health, now_s: float) -> Iterator[tuple[str, ...]]:
    for label, name in PARTS:
        report = health.of(name, now_s)
        if report is not None:
            yield _dot(LEVELS.get(report.level, Tone.QUIET)) + label, escape(report.sentence)


def _streams(feeds: Feeds, health: Health, now_s: float) -> Iterator[tuple[str, ...]]:
    period_ms = _number(health.value(ARM, 'period_p50_ms', now_s))
    yield 'Arm', _hertz(1e3 / period_ms if period_ms else math.nan), _age(feeds.joints, now_s)
    for camera, title in (('scene', 'Table camera'), ('wrist', 'Gripper camera')):
        known = _number(health.value(POLICY, f'{camera}_rate_hz', now_s))
        rate_hz = known or feeds.images[camera].rate_hz
        yield title, _hertz(rate_hz), _age(feeds.images[camera], now_s)
    commands_hz = _number(health.value(EXECUTOR, 'command_rate_hz', now_s))
    yield 'Commands', _hertz(commands_hz), _age(feeds.asked, now_s)
    plans_hz = _number(health.value(POLICY, 'chunk_rate_hz', now_s))
    yield 'Plans', _hertz(plans_hz), _age(feeds.path, now_s)
    thinking_ms = _number(health.value(POLICY, 'inference_p50_ms', now_s))
    if thinking_ms:
        yield 'Thinking time', f'{thinking_ms:.0f} ms', ''


def _servos(servos: Servos | None) -> str:
    if servos is None:
        return ''

    def rows() -> Iterator[tuple[str, ...]]:
        for index, name in enumerate(JOINT_NAMES):
            yield (
                TITLES[name],
                _bar(float(servos.temperature_c[index])),
                _of(float(servos.voltage_v[index]), '{:.1f} V'),
                _of(100.0 * abs(float(servos.load[index])), '{:.0f} %'),
            )

    return _table(('Servo', 'Temperature', 'Supply', 'Load'), rows())


def _twin(feeds: Feeds, now_s: float) -> str:
    error_rad = feeds.twin_error.fresh(now_s, 2.0)
    if error_rad is None:
        return ''
    rows = (
        (TITLES[name], f'{math.degrees(error):+.1f}°')
        for name, error in zip(JOINT_NAMES, np.asarray(error_rad), strict=True)
    )
    return _table(('Joint', 'Arm minus twin'), rows)


def _table(heads: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    """Return a table of cells that are HTML already; nothing if it has no rows."""
    body = ''.join(
        '<tr>' + ''.join(f'<td style="{CELL}">{cell}</td>' for cell in row) + '</tr>'
        for row in rows
    )
    if not body:
        return ''
    head = ''.join(
        f'<th style="{CELL};text-align:left;font-weight:500;opacity:.65">{escape(text)}</th>'
        for text in heads
    )
    return (
        f'<div style="padding:0 12px 14px;overflow-wrap:anywhere"><table style="{TABLE}">'
        f'<tr>{head}</tr>{body}</table></div>'
    )


def _bar(temperature_c: float) -> str:
    if not math.isfinite(temperature_c):
        return NOTHING
    tone = Tone.BAD if temperature_c >= HOT_C else Tone.GOOD
    if WARM_C <= temperature_c < HOT_C:
        tone = Tone.WARNING
    low, high = SCALE_C
    percent = 100.0 * min(max((temperature_c - low) / (high - low), 0.03), 1.0)
    return (
        f'<span style="display:inline-block;width:56px;height:8px;border-radius:4px;'
        f'background:#8884;margin-right:6px"><span style="display:block;height:8px;'
        f'border-radius:4px;width:{percent:.0f}%;background:{tone.value}"></span></span>'
        f'{temperature_c:.0f} °C'
    )


def _dot(tone: Tone) -> str:
    return f'<span style="color:{tone.value}">●</span> '


def _age(feed, now_s: float) -> str:
    age_s = feed.age_s(now_s)
    if not math.isfinite(age_s):
        return NOTHING
    return f'{age_s * 1e3:.0f} ms' if age_s < 1.0 else f'{age_s:.0f} s'


def _hertz(rate_hz: float) -> str:
    return _of(rate_hz, '{:.0f} Hz') if rate_hz else NOTHING


def _of(number: float, form: str) -> str:
    return form.format(number) if math.isfinite(number) else NOTHING


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
