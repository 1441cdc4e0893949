"""`chefmate dataset check`, `report` and `repair`."""

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from chefmate_core.dataset.errors import DatasetRequestError

if TYPE_CHECKING:
    from chefmate_core.dataset_checks import Finding


def check(args: argparse.Namespace) -> int:
    """Print the findings; 1 where one of them is an error."""
    from chefmate_core.dataset_checks import Severity
    from chefmate_core.dataset_checks import check as find

    findings = find(args.path)
    console = Console(highlight=False)
    if args.json:
        console.print_json(json.dumps([_as_dict(finding) for finding in findings]))
    else:
        for finding in findings:
            console.print(str(finding), soft_wrap=True, markup=False)
        if not findings:
            console.print(f'[green]nothing found:[/] {args.path}', soft_wrap=True)
    return int(any(finding.severity is Severity.ERROR for finding in findings))


def _as_dict(finding: 'Finding') -> dict[str, Any]:
    return {'severity': finding.severity.value, **asdict(finding)}


def report(args: argparse.Namespace) -> int:
    """Write the page."""
    from chefmate_core.dataset_checks import report as write

    if not args.path.is_dir():
        raise DatasetRequestError(f'{args.path}: no such folder; expected a session or a data set')
    out = args.out or Path(f'{args.path.resolve().name}-report.html')
    write(args.path, out)
    Console(highlight=False).print(f'[green]written:[/] {out}', soft_wrap=True)
    return 0


def repair(args: argparse.Namespace) -> int:
    """Mend a session and say what was done."""
    from chefmate_core.recording.repair import repair_session

    console = Console(highlight=False)
    for line in repair_session(args.path, args.discard).lines():
        console.print(line, soft_wrap=True, markup=False)
    return 0
