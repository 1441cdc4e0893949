"""`chefmate dataset`: from recorded sessions to data sets, between formats, and repairs."""

import argparse
import importlib

from chefmate.cli.dataset import arguments

EXAMPLES = (
    ('chefmate dataset convert SESSION DST --to groot', 'a recording, for GR00T'),
    ('chefmate dataset check DST', 'what would break training?'),
    ('chefmate dataset report DST', 'a page with pictures'),
    ('chefmate dataset delete SRC DST --episodes 3,7-9', 'without four episodes'),
    ('chefmate dataset TASK --help', 'what a task takes'),
)


def add_parser(subparsers: 'argparse._SubParsersAction') -> None:
    """Add `dataset` and what can be done with data sets."""
    parser = subparsers.add_parser(
        'dataset',
        description='Convert, edit, check and share data sets: LeRobot v2.1 and v3.0, GR00T. What '
        'changes a data set writes another; nothing is overwritten. docs/datasets.md has more.',
        examples=EXAMPLES,
    )
    arguments.add_tasks(parser)


def run(args: argparse.Namespace) -> int:
    """Do it; 1 where a check found something serious.

    Raises:
        ConfigurationError: what was asked for cannot be done.
        DatasetError: a data set is damaged.
    """
    module, _, function = arguments.TASKS[args.dataset_task].partition(':')
    # What a task needs (pyarrow, FFmpeg, the hub) is loaded when it is chosen.
    return getattr(importlib.import_module(f'chefmate.cli.dataset.{module}'), function)(args)
