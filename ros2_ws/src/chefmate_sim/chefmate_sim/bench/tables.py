"""What the benches found, as people read it: tables, and a picture in characters."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from chefmate_sim.bench.loop import describe

PICTURE_COLUMNS = 64
PICTURE_FROM_MS, PICTURE_TO_MS = 0.01, 100.0
# What is drawn up to which percentile; the eye sees the tail fade.
STRENGTHS = (('p50', '█'), ('p99', '▓'), ('p999', '▒'), ('max', '░'))
AIM_RATIO = 1.2


def bus_table(results: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> RenderableType:
    """Draw the bus bench."""
    parts: list[RenderableType] = []
    for wire, rows in results.items():
        table = _table(
            f'Read and write six servos, {wire}',
            'client',
            'cycle p50 ms',
            'p99 ms',
            'cycles/s',
            'best',
            'CPU us/cycle',
            'servos us',
            *(['of the wire', 'best'] if wire != 'no wire time' else []),
        )
        for name, row in rows.items():
            if not row['rounds']:
                table.add_row(name, Text('; '.join(row['trouble']), style='dim'))
                continue
            cells = [
                f'{row["cycle_p50_ms"]:.3f}',
                f'{row["cycle_p99_ms"]:.3f}',
                f'{row["cycles_per_s"]:.0f}',
                f'{row["cycles_per_s_best"]:.0f}',
                f'{row["cpu_us_per_cycle"]:.0f}',
                f'{row["servos_cpu_us_per_cycle"]:.0f}',
            ]
            if 'of_wire_limit' in row:
                cells += [f'{row["of_wire_limit"]:.0%}', f'{row["of_wire_limit_best"]:.0%}']
            table.add_row(name, *cells)
            for trouble in sorted(set(row['trouble'])):
                count = row['trouble'].count(trouble)
                table.add_row('', Text(f'{count} x {trouble}', style='yellow'))
        parts += [table, Text()]
    parts.append(
        Text(
            'Median of the rounds, and the best one. CPU: the client alone. servos us: processor '
            'time of the virtual servos, which no client can go below.',
            style='dim',
        )
    )
    return Group(*parts)


def loop_table(windows: Iterable[Mapping[str, Any]]) -> RenderableType:
    """Draw the loop bench: periods, then what is in a cycle."""
    windows = list(windows)
    periods = _table(
        'Period of the loop, ms',
        'window',
        'who',
        'p50',
        'p99',
        'p99.9',
        'max',
        'overruns',
        'p99 : bare',
        'p99.9 : bare',
    )
    cycle = _table(
        'In a cycle, ms',
        'window',
        'read p50',
        'p99',
        'p99.9',
        'write p50',
        'p99',
        'p99.9',
        'longest gc',
        'collections',
    )
    for window in windows:
        name = describe(window['rate_hz'], window['loaded'], window['realtime'])
        for who in ('driver', 'bare'):
            row = window[who]
            cells = [f'{row[f"period_{p}_ms"]:.2f}' for p in ('p50', 'p99', 'p999', 'max')]
            if who == 'driver':
                cells += [str(row['overruns'])]
                cells += [_ratio(window['ratio'][p]) for p in ('p99', 'p999')]  # type: ignore[misc]
            periods.add_row(name if who == 'driver' else '', who, *cells)
        cells = [f'{window["read"][f"read_{p}_ms"]:.2f}' for p in ('p50', 'p99', 'p999')]
        cells += [f'{window["write"][f"write_{p}_ms"]:.2f}' for p in ('p50', 'p99', 'p999')]
        collections = window['gc'].values()
        cells += [f'{max(generation["max_ms"] for generation in collections):.2f}']
        cells += ['/'.join(str(generation['count']) for generation in collections)]
        cycle.add_row(name, *cells)
    return Group(periods, Text(), cycle, Text(), lateness_picture(windows), Text(), _said(windows))


def recovery_table(results: Mapping[str, Mapping[str, Any]]) -> RenderableType:
    """Draw the recovery bench."""
    table = _table(
        'Time from its return, ms',
        'what came back',
        'times',
        'holds p50',
        'max',
        'follows p50',
        'max',
        'never',
    )
    for name, row in results.items():
        cells = [
            f'{row[key]:.0f}' if key in row else '-'
            for key in ('holding_p50_ms', 'holding_max_ms', 'following_p50_ms', 'following_max_ms')
        ]
        table.add_row(name, str(row['times']), *cells, str(row['failures']))
    note = (
        'holds: torque is on, read back from every servo, and setpoints go out. follows: after '
        'the blend at hand-over speed, within 0.02 rad of the moving command.'
    )
    return Group(table, Text(note, style='dim'))


def lateness_picture(windows: Iterable[Mapping[str, Any]]) -> RenderableType:
    """Draw how much too long periods were, on a logarithmic axis."""
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_row(Text('How much too long a period was', style='bold'), '', _axis())
    for window in windows:
        name = describe(window['rate_hz'], window['loaded'], window['realtime'])
        for who, style in (('driver', 'cyan'), ('bare', 'dim')):
            strip = Text(_strip(window[who]['late_ms']), style=style)
            table.add_row(name if who == 'driver' else '', Text(who, style=style), strip)
    legend = '   '.join(
        f'{mark * 3} {label}'
        for (_, mark), label in zip(
            STRENGTHS,
            ('half of all', '99 of 100', '999 of 1000', 'the longest'),
            strict=True,
        )
    )
    return Group(table, Text(legend, style='dim'))


def _strip(late_ms: Mapping[str, float]) -> str:
    strip = ''
    for name, mark in STRENGTHS:
        strip += mark * (_column(late_ms[name]) - len(strip))
    return strip


def _column(milliseconds: float) -> int:
    """Return how many characters a duration is on the picture's axis."""
    shown = min(max(milliseconds, PICTURE_FROM_MS), PICTURE_TO_MS)
    decades = math.log10(PICTURE_TO_MS / PICTURE_FROM_MS)
    return round(math.log10(shown / PICTURE_FROM_MS) / decades * PICTURE_COLUMNS)


def _axis() -> Text:
    axis = ''
    for milliseconds in (0.01, 0.1, 1.0, 10.0, 100.0):
        label = f'{milliseconds:g}'
        axis = axis.ljust(max(0, _column(milliseconds) - len(label) // 2)) + label
    return Text(f'{axis} ms', style='dim')


def _ratio(value: float) -> Text:
    return Text(f'{value:.2f}', style='green' if value <= AIM_RATIO else 'yellow')


def _said(windows: Iterable[Mapping[str, Any]]) -> Text:
    """Say what the real-time set-up was granted, and whether the servos had their priority."""
    windows = list(windows)
    lines = sorted({line for window in windows for line in window['granted'].values()})
    if not all(window['servos_have_priority'] for window in windows):
        lines.append(
            'the virtual servos had no real-time priority: under load, reads are as late as they'
        )
    return Text('\n'.join(f'set-up: {line}' for line in lines), style='dim')


def _table(title: str, first: str, *numbers: str) -> Table:
    table = Table(title=title, title_justify='left', title_style='bold', header_style='dim')
    table.add_column(first)
    for number in numbers:
        table.add_column(number, justify='left' if number == 'who' else 'right')
    return table
