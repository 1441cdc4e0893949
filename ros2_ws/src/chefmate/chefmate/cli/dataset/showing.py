"""`chefmate dataset info`: what a data set holds."""

import argparse
import json
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from chefmate.cli.dataset.sessions import is_session, session_content
from chefmate_core.dataset.model import Dataset
from chefmate_core.dataset.reading import open_dataset


def info(args: argparse.Namespace) -> int:
    """Say what a data set holds."""
    if is_session(args.path):
        return _session(args)
    dataset = open_dataset(args.path)
    content = _content(dataset)
    console = Console(highlight=False)
    if args.json:
        console.print_json(json.dumps(content))
        return 0
    table = _table()
    minutes, seconds = divmod(round(content['frames'] / dataset.fps), 60)
    table.add_row('format', content['format'])
    table.add_row('robot', content['robot_type'] or 'not said')
    table.add_row('episodes', str(content['episodes']))
    table.add_row(
        'frames', f'{content["frames"]} at {dataset.fps} a second: {minutes}:{seconds:02}'
    )
    for name, camera in content['cameras'].items():
        table.add_row('camera', f'{name}: {camera["width"]}x{camera["height"]}, {camera["codec"]}')
    for name, shape in content['columns'].items():
        table.add_row('column', f'{name}: {shape}')
    for text, count in content['instructions'].items():
        table.add_row('instruction', f'{escape(text)} [dim]({count} episodes)[/]')
    console.print(table)
    return 0


def _session(args: argparse.Namespace) -> int:
    content = session_content(args.path)
    console = Console(highlight=False)
    if args.json:
        console.print_json(json.dumps(content))
        return 0
    table = _table()
    table.add_row('format', 'recorded session')
    table.add_row('source', content['source'])
    table.add_row('robot', content['robot_type'])
    table.add_row('episodes', f'{content["episodes"]} at {content["fps"]} frames a second')
    if content['unfinished']:
        table.add_row('unfinished', f'{content["unfinished"]}: chefmate dataset repair SESSION')
    for text in content['damaged']:
        table.add_row('damaged', escape(text))
    for name, camera in content['cameras'].items():
        table.add_row('camera', f'{name}: {camera["width"]}x{camera["height"]}')
    for text, count in content['instructions'].items():
        table.add_row('instruction', f'{escape(text)} [dim]({count} episodes)[/]')
    table.add_row('next', 'chefmate dataset convert SESSION DST --to lerobot-v3')
    console.print(table)
    return 0


def _table() -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style='cyan', no_wrap=True)
    table.add_column()
    return table


def _content(dataset: Dataset) -> dict[str, Any]:
    cameras, columns = {}, {}
    for key, feature in dataset.features.items():
        if feature.is_video or feature.dtype == 'image':
            said = feature.extra.get('info') or feature.extra.get('video_info') or {}
            cameras[key] = {
                'height': feature.shape[0],
                'width': feature.shape[1],
                'codec': said.get('video.codec', feature.dtype),
            }
        else:
            columns[key] = f'{feature.dtype} {list(feature.shape)}'
    return {
        'format': dataset.format,
        'robot_type': dataset.robot_type,
        'fps': dataset.fps,
        'episodes': len(dataset.episodes),
        'frames': dataset.total_frames,
        'cameras': cameras,
        'columns': columns,
        'instructions': {
            text: sum(text in episode.tasks for episode in dataset.episodes)
            for text in dataset.tasks
        },
    }
