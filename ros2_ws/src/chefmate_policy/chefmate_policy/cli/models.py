"""`chefmate models`: what is known and here, fetch it, check it."""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import DownloadColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table
from rich.text import Text

from chefmate_core.errors import ConfigurationError
from chefmate_core.policy.model_folder import models_folder
from chefmate_policy.models.hub import HubId, fetch, folder_of
from chefmate_policy.models.known import KnownModel, known_models, list_models

if TYPE_CHECKING:  # what needs torch is imported where a model is opened
    from chefmate_policy.models.check import Report

NON_COMMERCIAL = 'for non-commercial use only'


def add_parser(subparsers: 'argparse._SubParsersAction') -> None:
    """Add `models` and what can be done with them."""
    parser = subparsers.add_parser(
        'models',
        description='Models live in models/, or where CHEFMATE_MODELS says. docs/checkpoints.md '
        'tells which files make a model.',
        examples=(
            ('chefmate models list', 'what is known, what is here, under which licence'),
            ('chefmate models fetch n1.5-3b', 'download the base model (5.4 GB)'),
            ('chefmate models check my-finetune', 'is it whole, and for which embodiment?'),
        ),
    )
    tasks = parser.add_subparsers(dest='task', required=True, metavar='list|fetch|check')
    listing = tasks.add_parser('list', description='Show the models that are known.')
    listing.add_argument('--json', action='store_true', help='for programs')
    fetching = tasks.add_parser(
        'fetch', description='Download a model, at a revision that is pinned.'
    )
    fetching.add_argument('model', help="a name of the manifest, or a hub's org/name@revision")
    checking = tasks.add_parser(
        'check',
        description='Read all of a model: files, digests, tensors, shapes, statistics. What is '
        'not here yet is checked as far as its preset tells.',
    )
    checking.add_argument('model', help='a name, the path of a folder, or org/name@revision')
    checking.add_argument('--embodiment', metavar='TAG', help='that it must be able to run')
    checking.add_argument('--json', action='store_true', help='for programs')


def run(args: argparse.Namespace) -> int:
    """Do it; 1 where a model has problems.

    Raises:
        ConfigurationError: there is no such model, or it cannot be fetched.
    """
    return {'list': _list, 'fetch': _fetch, 'check': _check}[args.task](args)


def _list(args: argparse.Namespace) -> int:
    folder = models_folder()
    models = list_models(folder)
    if args.json:
        _print_json({'folder': str(folder), 'models': [_as_dict(model) for model in models]})
        return 0
    console = Console(highlight=False)
    table = Table(box=None, header_style='bold', pad_edge=False, padding=(0, 2, 0, 0))
    for column in ('model', 'is', 'size', 'licence; what it is; where it comes from'):
        table.add_column(column, no_wrap=column in ('model', 'size'))
    for model in models:
        entry = model.entry
        about = [
            (entry.licence if entry else 'yours').replace(
                NON_COMMERCIAL, f'[yellow]{NON_COMMERCIAL}[/]'
            )
        ]
        if entry is not None and entry.note:
            about.append(entry.note)
        about.append(model.origin + (f'@{model.revision[:12]}' if model.revision else ''))
        table.add_row(
            f'[cyan]{model.name}[/]',
            model.state if model.folder is None else f'[green]{model.state}[/]',
            _size(model.size_bytes),
            '\n[dim]'.join(about),
        )
    console.print(table)
    console.print(f'\n[dim]in {folder}[/]', soft_wrap=True)
    return 0


def _fetch(args: argparse.Namespace) -> int:
    folder = models_folder()
    name, _, revision = args.model.partition('@')
    entries = known_models(folder)
    by_origin = {entry.origin: entry for entry in entries.values()}
    entry = entries.get(name) or by_origin.get(name)
    if entry is not None and entry.is_random:
        raise ConfigurationError(f'{name}: its weights are drawn, there is nothing to fetch')
    console = Console(stderr=True, highlight=False)
    if entry is not None:
        hub = HubId(entry.origin, revision or entry.revision)
        target, digests = folder / entry.name, entry.sha256
        console.print(f'{entry.name}: licence: {entry.licence}', soft_wrap=True)
    else:
        hub, digests = HubId.parse(args.model), {}
        target = folder_of(hub.pinned(), folder)
        console.print(f'{hub}: read its licence: https://huggingface.co/{hub.name}')
    fetch(hub, target, digests)
    console.print(f'[green]here:[/] {target}', soft_wrap=True)
    return 0


def _check(args: argparse.Namespace) -> int:
    from chefmate_policy.models.check import check_model, check_sizes
    from chefmate_policy.models.source import find_model

    entries = known_models(models_folder())
    entry = entries.get(args.model)
    here = {model.name for model in list_models(models_folder()) if model.folder is not None}
    if entry is not None and entry.name not in here and not entry.is_random:
        report = check_sizes(entry)
    else:
        with _progress() as advance:
            report = check_model(find_model(args.model), args.embodiment, advance)
    if args.json:
        _print_json(asdict(report))
    else:
        _print_report(report)
    return 1 if report.problems else 0


def _print_report(report: 'Report') -> None:
    console = Console(highlight=False)
    where = report.folder or {'random': 'random weights', 'not here': 'not here'}[report.weights]
    console.print(f'[bold cyan]{report.name}[/]  {where}', soft_wrap=True)
    rows = [
        ('origin', f'{report.origin}@{report.revision}' if report.revision else report.origin),
        ('licence', report.licence),
        ('layout', report.layout),
        ('tensors', f'{report.keys:,}' if report.keys else None),
        ('parameters', f'{report.parameters:,}' if report.parameters else None),
        ('stored as', ', '.join(f'{n} {dtype}' for dtype, n in report.dtypes.items())),
        ('files', f'{len(report.files)}, {_size(report.size_bytes)}' if report.files else None),
    ]
    table = Table(box=None, show_header=False, pad_edge=False)
    for title, value in rows:
        if value:
            table.add_row(f'[dim]{title}[/]', value)
    for tag, facts in report.embodiments.items():
        cameras = ', '.join(facts.get('cameras', ()))
        slot = 'no slot' if facts['slot'] is None else f'slot {facts["slot"]}'
        table.add_row(
            '[dim]embodiment[/]',
            f'{tag} ({slot})'
            + (f': {cameras}; state {_groups(facts["state"])}' if cameras else '')
            + (': cannot run here (--json says why)' if 'refused' in facts else ''),
        )
    console.print(table)
    for problem in report.problems:
        console.print(Text.assemble(('problem: ', 'bold red'), problem), soft_wrap=True)
    if not report.problems:
        console.print('[green]no problem found[/]')


def _groups(sizes: dict[str, int]) -> str:
    return ' + '.join(f'{name} {size}' for name, size in sizes.items())


def _as_dict(model: KnownModel) -> dict[str, Any]:
    entry = model.entry
    return {
        'name': model.name,
        'state': model.state,
        'folder': str(model.folder) if model.folder else None,
        'bytes': model.size_bytes,
        'origin': model.origin,
        'revision': model.revision,
        'licence': entry.licence if entry else None,
        'commercial': entry.commercial if entry else None,
        'kind': entry.kind if entry else 'model',
        'note': entry.note if entry else '',
    }


def _size(size_bytes: int) -> str:
    if not size_bytes:
        return ''
    return f'{size_bytes / 1e9:.1f} GB' if size_bytes >= 1e8 else f'{size_bytes / 1e6:.1f} MB'


def _print_json(content: dict[str, Any]) -> None:
    """To the stream itself: rich would wrap and colour what a program reads."""
    sys.stdout.write(json.dumps(content, indent=2) + '\n')


@contextmanager
def _progress() -> Iterator[Callable[[str, int], None]]:
    """Show on a terminal what is being read."""
    with Progress(
        SpinnerColumn(),
        TextColumn('{task.description}'),
        DownloadColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as progress:
        task = progress.add_task('', total=None)
        yield lambda what, size: progress.update(task, description=what, advance=size)
