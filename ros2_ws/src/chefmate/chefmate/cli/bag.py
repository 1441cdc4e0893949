"""`chefmate bag`: look at what was recorded."""

import argparse
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from chefmate.cli.progress import progress
from chefmate_core.errors import ConfigurationError

if TYPE_CHECKING:
    from chefmate.bag_plot.finding import FoundBag
    from chefmate.bag_plot.series import Recording

FORMATS = ('.html', '.png')
EXAMPLES = (
    ('chefmate bag plot SESSION', "a page of the session's newest episode"),
    ('chefmate bag plot SESSION --episode 3 --out 3.png', 'another, as a picture'),
    ('chefmate bag plot BAG --from 12 --to 15', 'three seconds, closer'),
    ("chefmate bag plot BAG --topics 'follower/*'", 'some of the topics'),
)


def add_parser(subparsers: 'argparse._SubParsersAction') -> None:
    """Add `bag` and what can be done with bags."""
    parser = subparsers.add_parser(
        'bag', description='Look at recordings: docs/bag-plot.md has more.', examples=EXAMPLES
    )
    tasks = parser.add_subparsers(dest='bag_task', required=True, metavar='TASK', help='plot')
    plot = tasks.add_parser(
        'plot',
        description='Draw a recorded bag: joint positions against commands, what the safety gate '
        'did, velocities, rates and ages, servo temperatures.',
        examples=EXAMPLES,
        # The bag first: behind --topics it would be taken for a topic.
        usage='%(prog)s SESSION|BAG [--out FILE] [--episode N] [--topics TOPIC ...] [--from S] '
        '[--to S]',
    )
    plot.add_argument(
        'path', type=Path, metavar='SESSION|BAG', help='folder of a session or of a rosbag2 bag'
    )
    plot.add_argument('--out', type=Path, metavar='FILE', help='.html (default) or .png')
    plot.add_argument('--episode', type=int, metavar='N', help='of a session; default: the newest')
    plot.add_argument(
        '--topics', nargs='+', default=[], metavar='TOPIC', help='only these; * for anything'
    )
    plot.add_argument(
        '--from', dest='from_s', type=float, metavar='S', help='seconds: begin there'
    )
    plot.add_argument('--to', dest='to_s', type=float, metavar='S', help='end there')


def run(args: argparse.Namespace) -> int:
    """Draw.

    Raises:
        ConfigurationError: there is nothing to draw, or nowhere to write it.
        DatasetError: the bag is damaged, or was never finished.
    """
    try:
        from chefmate.bag_plot.figures import png
        from chefmate.bag_plot.finding import find_bag
        from chefmate.bag_plot.page import html
        from chefmate.bag_plot.reading import read_recording
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f'`chefmate bag plot` needs the Python module {error.name!r}, which is not found. '
            'Next: make setup, which installs it with what data sets need'
        ) from error
    _check_times(args.from_s, args.to_s)
    bag = find_bag(args.path, args.episode)
    out = _checked(args.out or Path(f'{bag.file_stem}-plots.html'))
    with progress(101) as advance:
        recording = read_recording(bag.folder, args.topics, args.from_s, args.to_s, advance)
        advance('drawing')
        facts = _facts(bag, recording)
        if out.suffix == '.png':
            content = png(recording, bag.title, facts)
        else:
            content = html(recording, bag.title, facts, _findings(bag)).encode()
    try:
        out.write_bytes(content)
    except OSError as error:
        raise ConfigurationError(f'{out}: cannot be written: {error.strerror}') from error
    console = Console(highlight=False)
    console.print(f'[green]written:[/] {out} ({len(content) / 1e6:.1f} MB)', soft_wrap=True)
    if bag.others and args.episode is None:
        console.print(f'the newest of {bag.others + 1} episodes; --episode N draws another')
    return 0


def _check_times(from_s: float | None, to_s: float | None) -> None:
    for name, value in (('--from', from_s), ('--to', to_s)):
        if value is not None and not (math.isfinite(value) and value >= 0):
            raise ConfigurationError(f'{name} is {value}; expected seconds, 0 or more')
    if to_s is not None and to_s <= (from_s or 0.0):
        raise ConfigurationError(f'--to {to_s:g} is not after --from {from_s or 0.0:g}')


def _checked(out: Path) -> Path:
    if out.suffix.lower() not in FORMATS:
        raise ConfigurationError(
            f'--out {out}: expected a name that ends in {" or ".join(FORMATS)}; '
            f'found {out.suffix or "no such ending"}'
        )
    if not out.resolve().parent.is_dir():
        raise ConfigurationError(f'--out {out}: there is no folder {out.resolve().parent}')
    return out.with_suffix(out.suffix.lower())


def _facts(bag: 'FoundBag', recording: 'Recording') -> list[tuple[str, str]]:
    """Return what is known of it besides what is drawn."""
    facts = []
    if bag.manifest is not None:
        facts += [('instruction', bag.manifest.instruction), ('outcome', bag.manifest.outcome)]
    begun = datetime.fromtimestamp(recording.begin_ns * 1e-9, UTC)
    facts.append(('recorded', f'{begun:%Y-%m-%d %H:%M:%S} UTC'))
    span_s = recording.end_s - recording.start_s
    whole = recording.start_s == 0
    shown = f'{span_s:.1f} s' if whole else f'{recording.start_s:g} to {recording.end_s:g} s'
    facts.append(('shown', shown))
    facts.append(('read', f'{sum(recording.messages.values()):,} messages'))
    return [(name, value) for name, value in facts if value]


def _findings(bag: 'FoundBag') -> list[str]:
    found = bag.manifest.report.get('findings') if bag.manifest is not None else None
    return [str(finding) for finding in found] if isinstance(found, list) else []
