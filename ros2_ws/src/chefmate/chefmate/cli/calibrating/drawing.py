"""Pictures of a calibration in the terminal: bars of joints, and tables of what is held where."""

from collections.abc import Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from chefmate.cli.parser import HEADING, NAME, QUIET
from chefmate_core.calibrating.checks import NARROW
from chefmate_core.calibrating.comparison import JointComparison
from chefmate_core.calibrating.live import STALE_S
from chefmate_core.calibrating.views import Finding, JointView, Severity, Step, View
from chefmate_core.calibration import MAX_TICK, ArmCalibration
from chefmate_core.joints import JOINT_NAMES

MOST_BAR_COLUMNS, FEWEST_BAR_COLUMNS = 36, 8
_OTHER_COLUMNS = 64  # what the wizard shows besides the bars
_WIDEST = 100
# Of everything but the bar in `file_table`: 13 + 2 + 4 + 6 + 4 + 4 + 4, and what is between.
_FILE_NUMBERS_WIDTH = 60
GOOD, DOUBTFUL, BAD = 'green', 'yellow', 'bold red'
_STEPS = (Step.SUPPORT, Step.MIDDLE, Step.RANGE, Step.GRIPPER, Step.REVIEW)
_KEYS = {
    Step.SUPPORT: (('Enter', 'I hold it'), ('q', 'quit')),
    Step.MIDDLE: (('Enter', 'it is in the middle'), ('q', 'quit')),
    Step.RANGE: (('Enter', 'all are done'), ('r', 'again from the middle'), ('q', 'quit')),
    Step.GRIPPER: (('Enter', 'it is closed'), ('r', 'again from the middle'), ('q', 'quit')),
    Step.REVIEW: (('Enter', 'write it'), ('r', 'again from the middle'), ('q', 'quit')),
}
_ACCEPT = (('a', 'accept and write it'), ('r', 'again from the middle'), ('q', 'quit'))


def bar(
    tick: int | None,
    low: int | None,
    high: int | None,
    style: str,
    columns: int = MOST_BAR_COLUMNS,
) -> Text:
    """Return one turn of a servo, 0 to 4095, with a range and the place where the joint is."""
    cells, styles = ['·'] * columns, [QUIET] * columns
    if low is not None and high is not None:
        for place in range(_cell(low, columns), _cell(high, columns) + 1):
            cells[place], styles[place] = '━', style
    if tick is not None:
        place = _cell(tick, columns)
        cells[place], styles[place] = '●', 'bold cyan'
    text = Text()
    for cell, cell_style in zip(cells, styles, strict=True):
        text.append(cell, style=cell_style)
    return text


def draw(
    view: View, arm: str, port: str, message: str = '', width: int = _WIDEST
) -> RenderableType:
    """Return the wizard's page for a terminal of `width` columns."""
    width = min(width, _WIDEST)
    columns = min(max(width - _OTHER_COLUMNS, FEWEST_BAR_COLUMNS), MOST_BAR_COLUMNS)
    parts: list[RenderableType] = [_where(view.step), Text()]
    parts += [Text(view.title, style=HEADING), Text(view.asked), Text()]
    parts += [_joints(view, columns), Text()]
    parts += [_finding(finding) for finding in view.findings if _is_to_be_seen(finding, view)]
    if view.problem:
        parts.append(Text(view.problem, style=BAD))
    if message:
        parts.append(Text(message, style=BAD))
    parts += [Text(), _keys(view)]
    return Panel(Group(*parts), title=f'calibrate {arm} at {port}', box=box.ROUNDED, width=width)


def file_table(
    calibration: ArmCalibration, ticks: Sequence[int | None], width: int = _WIDEST
) -> Table:
    """Return what a file says, with where the joints are now (None: not known)."""
    # The bar gives way on a narrow screen.
    columns = min(max(width - _FILE_NUMBERS_WIDTH, FEWEST_BAR_COLUMNS), MOST_BAR_COLUMNS)
    table = _table('joint', 'id', 'mode', 'offset', 'min', 'max', '0 to 4095', 'now')
    for name, joint, tick in zip(JOINT_NAMES, calibration.joints, ticks, strict=True):
        is_inside = tick is None or joint.range_min <= tick <= joint.range_max
        table.add_row(
            Text(name, style=NAME),
            *(
                str(value)
                for value in (
                    joint.id,
                    joint.drive_mode,
                    joint.homing_offset,
                    joint.range_min,
                    joint.range_max,
                )
            ),
            bar(tick, joint.range_min, joint.range_max, GOOD, columns),
            Text('-' if tick is None else str(tick), style='' if is_inside else BAD),
        )
    return table


def comparison_table(joints: Sequence[JointComparison]) -> Table:
    """Return file against servo, joint by joint."""
    has_notes = any(joint.notes for joint in joints)
    besides = ('besides',) if has_notes else ()
    table = _table('', 'joint', 'id', *(value.name for value in joints[0].values), *besides)
    for joint in joints:
        mark = Text('ok', style=GOOD) if joint.agrees else Text('differs', style=BAD)
        values = [
            Text(str(value.in_file))
            if value.agrees
            else Text(f'file {value.in_file}, servo {value.in_servo}', style=BAD)
            for value in joint.values
        ]
        notes = [Text(', '.join(joint.notes), style=DOUBTFUL)] if has_notes else []
        name = Text(joint.joint, style=NAME)
        table.add_row(mark, name, str(joint.servo_id), *values, *notes)
    return table


def _table(*titles: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, header_style=HEADING, pad_edge=False)
    for title in titles:
        table.add_column(title, no_wrap=title != 'besides')
    return table


def _joints(view: View, columns: int) -> Table:
    table = _table('joint', 'id', '0 to 4095', 'tick', 'min', 'max', 'range')
    for joint in view.joints:
        table.add_row(
            Text(joint.name, style=NAME),
            str(joint.servo_id),
            _joint_bar(joint, columns),
            '-' if joint.tick is None else f'{joint.tick:4d}',
            _number(joint.minimum, joint),
            _number(joint.maximum, joint),
            _state(joint, view.step),
        )
    return table


def _joint_bar(joint: JointView, columns: int) -> Text:
    tick = joint.tick if joint.age_s <= STALE_S else None
    if joint.is_full_turn and joint.minimum is not None:
        return bar(tick, 0, MAX_TICK, GOOD, columns)
    return bar(tick, joint.minimum, joint.maximum, _style(joint), columns)


def _style(joint: JointView) -> str:
    if joint.span < NARROW * joint.expected_span or joint.finding is not None:
        return DOUBTFUL
    return GOOD


def _number(value: int | None, joint: JointView) -> str:
    return '' if value is None or joint.is_full_turn else f'{value:4d}'


def _state(joint: JointView, step: Step) -> Text:
    if joint.age_s > STALE_S:
        return Text('no answer', style=BAD)
    if step in (Step.SUPPORT, Step.MIDDLE):
        return Text()
    if joint.is_full_turn:
        return Text('a full turn', style=GOOD)
    if 'passed' in (joint.finding.found if joint.finding else ''):
        return Text('passed the end', style=BAD)
    return Text(f'{joint.span / joint.expected_span:4.0%}', style=_style(joint))


def _is_to_be_seen(finding: Finding, view: View) -> bool:
    """While the hand still moves the joints, what is missing is no news."""
    return view.step is Step.REVIEW or 'passed' in finding.found


def _finding(finding: Finding) -> Text:
    style = BAD if finding.severity is Severity.BLOCKS else DOUBTFUL
    return Text.assemble((f'{finding.joint}: {finding.found}. ', style), finding.advice)


def _where(step: Step) -> Text:
    text = Text()
    for index, name in enumerate(_STEPS):
        style = f'reverse {HEADING}' if name is step else QUIET
        text.append(f' {index + 1} {name.value} ', style=style)
    return text


def _keys(view: View) -> Text:
    is_doubtful = view.step is Step.REVIEW and view.findings
    text = Text()
    for key, meaning in _ACCEPT if is_doubtful else _KEYS.get(view.step, ()):
        text.append(f' {key} ', style='reverse').append(f' {meaning}   ')
    return text


def _cell(tick: int, columns: int) -> int:
    return min(max(tick, 0), MAX_TICK) * columns // (MAX_TICK + 1)
