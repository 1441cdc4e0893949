"""The live view of a recording: time, rates, drops, disk, how the last episode ended."""

from collections.abc import Mapping, Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

COLOURS = {0: 'green', 1: 'yellow', 2: 'red', 3: 'dim'}
KEYS = '→ finish, next    ← discard, redo    r fresh kitchen    Esc save and quit'
RATE, MISSING = 'rate_hz ', 'missing '


def recording_view(
    values: Mapping[str, str],
    level: int,
    sentence: str,
    lines: Sequence[str],
    hand: str = '',
    hindrance: str = '',
) -> RenderableType:
    """Return the picture for what the recorder said last; `lines` stand below it.

    Args:
        values: the recorder's figures.
        level: how it is, as in /diagnostics.
        sentence: what it said.
        lines: of the launch.
        hand: what the simulated hand does, where there is one.
        hindrance: why the follower does not do as the leader does; empty if it does.
    """
    parts: list[RenderableType] = [_head(values, level, sentence)]
    length_s = number(values, 'episode_time_s')
    if values.get('state') == 'recording' and length_s > 0:
        parts.append(ProgressBar(total=length_s, completed=number(values, 'elapsed_s')))
    if hand:
        parts.append(Text(f'the hand: {hand}'))
    if hindrance:
        parts.append(Text(hindrance, style='yellow'))
    parts += [_rates(values), _disk(values)]
    last = _last(values)
    if last is not None:
        parts.append(last)
    parts += [Text(line, style='dim', no_wrap=True, overflow='ellipsis') for line in lines]
    return Panel(
        Group(*parts),
        title=f'recording to {values.get("session", "...")}',
        title_align='left',
        subtitle=KEYS,
        subtitle_align='left',
        border_style='red' if values.get('state') == 'recording' else 'cyan',
    )


def recording_line(values: Mapping[str, str], sentence: str, hindrance: str = '') -> str:
    """Return the same in one line, for logs."""
    if not values:
        return sentence
    missing = sum(int(value) for key, value in values.items() if key.startswith(MISSING))
    return (
        f'{values.get("state")}: episode {values.get("episode", "-")}, '
        f'{number(values, "elapsed_s"):.1f} s, {missing} missing, {values.get("saved")} saved, '
        f'{number(values, "free_mb") / 1024:.1f} GiB free'
        f'{"; " if hindrance else ""}{hindrance}'
    )


def number(values: Mapping[str, str], key: str) -> float:
    """Return a figure, 0 where there is none."""
    try:
        return float(values.get(key) or 0.0)
    except ValueError:
        return 0.0


def _head(values: Mapping[str, str], level: int, sentence: str) -> Text:
    colour = COLOURS.get(level, 'dim')
    head = Text.assemble(('● ', 'red' if values.get('state') == 'recording' else colour))
    if values.get('state') == 'recording':
        head.append(f'episode {values.get("episode")}  {number(values, "elapsed_s"):6.1f} s')
    elif values.get('reset_left_s'):
        head.append(f'reset the scene: {number(values, "reset_left_s"):.0f} s')
    else:
        head.append(sentence, style=colour)
    wanted = values.get('episodes', '0')
    of_all = f' of {wanted}' if wanted != '0' else ''
    head.append(f'   {values.get("saved", "0")}{of_all} saved\n', style='bold')
    head.append(values.get('instruction') or 'no instruction', style='italic')
    return head


def _rates(values: Mapping[str, str]) -> Table:
    table = Table(box=box.SIMPLE, padding=(0, 2, 0, 0))
    table.add_column('topic')
    table.add_column('Hz', justify='right')
    table.add_column('missing', justify='right')
    silent = set(values.get('silent', '').split(', '))
    for key in values:
        if key.startswith(RATE):
            name = key.removeprefix(RATE)
            missing = values.get(f'{MISSING}{name}', '')
            table.add_row(
                Text(name, style='red' if name in silent else ''),
                f'{number(values, key):.1f}',
                Text(missing, style='yellow' if missing not in ('', '0') else 'dim'),
            )
    return table


def _disk(values: Mapping[str, str]) -> Text:
    written_mb, elapsed_s = number(values, 'written_mb'), number(values, 'elapsed_s')
    free_mb = number(values, 'free_mb')
    text = Text(f'disk: {free_mb / 1024:.1f} GiB free')
    if written_mb and elapsed_s > 1.0:
        rate = written_mb / elapsed_s
        text.append(f', {rate:.1f} MiB/s, room for {free_mb / rate / 60:.0f} min')
        text.append(f', at most {number(values, "queue_most_mb"):.1f} MiB waited', style='dim')
    return text


def _last(values: Mapping[str, str]) -> Text | None:
    if 'last' not in values:
        return None
    failure = values.get('last_failure', '')
    if failure:
        return Text(failure, style='bold red')
    outcome = 'saved' if values.get('last_saved') else 'discarded'
    text = Text(f'episode {values["last"]}: {outcome} ({values.get("last_reason", "")})')
    findings = values.get('last_findings', '')
    text.append(
        f'\n{findings}' if findings else '  no findings', style='yellow' if findings else 'green'
    )
    return text
