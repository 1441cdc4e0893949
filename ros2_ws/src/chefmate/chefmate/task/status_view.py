"""The state of a deployment as one picture on the terminal, and its report as another."""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from chefmate.task.report import (
    ARM,
    DRAWING,
    EXECUTOR,
    PAGE,
    PHYSICS,
    POLICY,
    TASK,
    HealthBoard,
)

LEVELS = {0: ('●', 'green'), 1: ('●', 'yellow'), 2: ('●', 'red'), 3: ('○', 'dim')}
# Counters of the gate that say that something was held back; the others are normal life.
LABEL_WIDTH = 14
HELD_BACK = (
    *('refused_', 'clamped_', 'rate_limited', 'starvations', 'estops', 'holds_relaxed'),
    *('health_', 'stalls'),
)


def status_view(board: HealthBoard, instruction: str, elapsed_s: float) -> RenderableType:
    """Return the live view: the task's phase, and one line for each part."""
    _, phase = board.messages.get(TASK, (0, 'starting'))
    head = Text.assemble((instruction or 'no task: waiting', 'bold'), f'   {elapsed_s:5.1f} s\n')
    head.append(phase, style='cyan')
    address = page_address(board)
    if address:
        head.append('\nwatch it, and stop it: ').append(address, style='underline cyan')
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False, expand=True)
    table.add_column(no_wrap=True, min_width=LABEL_WIDTH)
    table.add_column(ratio=2, overflow='ellipsis', no_wrap=True)
    table.add_column(ratio=3, overflow='ellipsis', no_wrap=True)
    for label, name, facts in _rows(board):
        level, sentence = board.messages.get(name, (3, 'not up yet'))
        dot, colour = LEVELS[level]
        table.add_row(
            Text.assemble((dot, colour), f' {label}'), Text(sentence), Text(facts, style='dim')
        )
    return Panel(Group(head, Text(), table), title='ChefMate', title_align='left',
                 subtitle='Ctrl-C ends it; the arm holds', subtitle_align='left',
                 border_style='cyan')  # fmt: skip


def page_address(board: HealthBoard) -> str:
    """Return where the page is served, '' while it is not."""
    return str(board.of(PAGE).get('address', ''))


def status_line(board: HealthBoard, elapsed_s: float) -> str:
    """Return the same in one line, for logs."""
    _, phase = board.messages.get(TASK, (0, 'starting'))
    facts = (f'{label}: {facts}' for label, _, facts in _rows(board) if facts)
    address = page_address(board)
    page = f'  |  page: {address}' if address else ''
    return f'{elapsed_s:6.1f} s  {phase}  |  ' + '  |  '.join(facts) + page


def _rows(board: HealthBoard) -> Iterable[tuple[str, str, str]]:
    arm, policy, executor = board.of(ARM), board.of(POLICY), board.of(EXECUTOR)
    physics, drawing = board.of(PHYSICS), board.of(DRAWING)
    if PHYSICS in board.messages:
        yield 'kitchen', PHYSICS, _facts(physics, ('seed', 'seed', ''))
        yield (
            'drawing',
            DRAWING,
            _facts(drawing, ('', 'rate_hz', 'Hz'), ('p50', 'drawing_p50_ms', 'ms')),
        )
    yield (
        'arm',
        ARM,
        _facts(arm, ('period p50', 'period_p50_ms', 'ms'), ('p99', 'period_p99_ms', 'ms')),
    )
    yield 'servos', ARM, servo_facts(arm)
    yield 'gate', ARM, gate_facts(arm)
    yield (
        'executor',
        EXECUTOR,
        _facts(
            executor, ('', 'command_rate_hz', 'Hz'), ('chunk age p50', 'chunk_age_p50_ms', 'ms')
        ),
    )
    yield (
        'policy',
        POLICY,
        _facts(
            policy,
            ('loading since', 'loading_s', 's'),
            ('', 'chunk_rate_hz', 'Hz'),
            ('inference p50', 'inference_p50_ms', 'ms'),
            ('seen p50', 'observation_age_p50_ms', 'ms'),
        ),
    )
    for camera in ('wrist', 'scene'):
        yield (
            f'{camera} camera',
            POLICY,
            _facts(
                policy, ('', f'{camera}_rate_hz', 'Hz'), ('age p50', f'{camera}_age_p50_ms', 'ms')
            ),
        )


def _facts(values: Mapping[str, str], *wanted: tuple[str, str, str]) -> str:
    facts = []
    for label, key, unit in wanted:
        if key in values:
            facts.append(' '.join(filter(None, (label, f'{float(values[key]):.3g}', unit))))
    return ', '.join(facts)


def servo_facts(arm: Mapping[str, Any]) -> str:
    """Return the hottest servo and the lowest voltage."""
    hottest = _extreme(arm, '_temperature_c', max)
    lowest = _extreme(arm, '_voltage_v', min)
    if hottest is None or lowest is None:
        return ''
    return f'{hottest[0]} {hottest[1]:.0f} C, at least {lowest[1]:.1f} V'


def _extreme(
    values: Mapping[str, Any], ending: str, choose: Callable[..., tuple[float, str]]
) -> tuple[str, float] | None:
    """Return the joint and the value that `choose` takes of those that are known."""
    known = [
        (float(value), key.removesuffix(ending))
        for key, value in values.items()
        if key.endswith(ending) and not math.isnan(float(value))
    ]
    if not known:
        return None
    value, joint = choose(known)
    return joint, value


def gate_facts(arm: Mapping[str, Any]) -> str:
    """Return what the gate let through and what it held back."""
    counters = {key.removeprefix('gate_'): int(value) for key, value in arm.items()
                if key.startswith('gate_') and key != 'gate_mode'}  # fmt: skip
    if not counters:
        return ''
    held = [f'{name} {count}' for name, count in counters.items()
            if count and name.startswith(HELD_BACK)]  # fmt: skip
    return f'{counters.get("accepted", 0)} accepted, ' + (', '.join(held) or 'nothing held back')


def report_view(report: Mapping[str, Any]) -> RenderableType:
    """Return a finished task's report for people."""
    table = Table(box=box.SIMPLE, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style='cyan', no_wrap=True)
    table.add_column()
    durations, loop = report['durations'], report['loop']
    table.add_row('instruction', report['instruction'])
    if not report['success']:
        table.add_row('why not', Text(report['reason'], style='red'))
    table.add_row('policy', f'{report["policy"]} on {report["hardware"]}, seed {report["seed"]}')
    table.add_row(
        'time',
        f'{durations["start_up_s"]:.1f} s to get ready, {durations["task_s"]:.1f} s to cook',
    )
    if report['real_time_factor'] is not None:
        table.add_row('real-time factor', f'{report["real_time_factor"]:.3f}')
    if loop:
        table.add_row(
            'servo loop',
            f'period p50 {loop["period_p50_ms"]:.2f}, p99 {loop["period_p99_ms"]:.2f}, '
            f'max {loop["period_max_ms"]:.1f} ms; {loop["overruns"]} overruns',
        )
    for name, camera in report['cameras'].items():
        table.add_row(
            f'{name} camera',
            f'{camera["received"]} frames, {camera["missing"]} missing, '
            f'age p50 {camera.get("age_p50_ms", 0):.0f}, p99 {camera.get("age_p99_ms", 0):.0f} ms',
        )
    table.add_row('gate', gate_facts({f'gate_{k}': v for k, v in report['gate'].items()}))
    if report['servos']:
        table.add_row('servos', servo_facts(report['servos']))
    bus = report['bus']
    if bus:
        table.add_row(
            'servo bus',
            f'{bus["requests"]} requests, {bus["retries"]} retries, '
            f'{bus["checksum_errors"]} corrupt, lost {bus.get("lost", 0)} times',
        )
    done = report['success']
    title = 'done' if done else 'not done'
    colour = 'green' if done else 'red'
    return Panel(table, title=f'[{colour}]{title}[/]', title_align='left', border_style=colour)
