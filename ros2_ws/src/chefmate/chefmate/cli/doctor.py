"""`chefmate doctor`: look at this machine and say, line by line, what is fine and what to do."""

import argparse
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from chefmate.cli.checks import hardware, host, ros, simulation
from chefmate.cli.checks.finding import Finding, Machine
from chefmate.cli.parser import HEADING

Check = Callable[[Machine], Finding | list[Finding]]

GROUPS: dict[str, tuple[Check, ...]] = {
    'Computer': (
        host.python_version,
        host.processors,
        host.realtime,
        host.shared_memory,
        host.text_encoding,
    ),
    'ROS 2': (ros.rclpy, ros.dds_profile, ros.discovery, ros.workspace, ros.policies),
    'Simulation': (simulation.rendering,),
    'Robot': (hardware.devices, hardware.udev_rules, hardware.calibration),
}
MARKS = {
    'ok': ('ok', 'green'),
    'warn': ('warn', 'yellow'),
    'broken': ('broken', 'bold red'),
    'skipped': ('-', 'dim'),
}


def add_parser(subparsers: 'argparse._SubParsersAction') -> None:
    """Add `doctor`."""
    parser = subparsers.add_parser(
        'doctor',
        description='Check this machine: Python, ROS 2, DDS, simulation, devices, calibration. '
        'The exit code is 1 if something is broken that is needed for the simulation, or, with '
        '--hardware real, for the arm.',
        examples=(
            ('chefmate doctor', 'ready for the simulation?'),
            ('chefmate doctor --hardware real', 'ready for the arm?'),
            ('chefmate doctor --json', 'for programs'),
        ),
    )
    parser.add_argument('--hardware', choices=('sim', 'real'), default='sim', help='what for')
    parser.add_argument('--json', action='store_true', help='print JSON')
    parser.add_argument(
        '--calibration-dir', type=Path, metavar='DIR', help='folder of calibration files'
    )


def run(args: argparse.Namespace) -> int:
    """Run every check, print the findings, return 1 if something needed is broken."""
    machine = Machine(hardware=args.hardware, calibration_dir=args.calibration_dir)
    groups = examine(machine, GROUPS)
    findings = [finding for group in groups.values() for finding in group]
    healthy = all(finding.status != 'broken' for finding in findings)
    console = Console(highlight=False)
    if args.json:
        report = {'healthy': healthy, 'findings': [asdict(finding) for finding in findings]}
        console.print_json(json.dumps(report))
    else:
        console.print(findings_table(groups))
        console.print(_summary(findings, args.hardware))
    return 0 if healthy else 1


def examine(machine: Machine, groups: dict[str, tuple[Check, ...]]) -> dict[str, list[Finding]]:
    """Run the checks. One that fails itself is a finding too: the doctor never dies."""
    return {
        title: [finding for check in checks for finding in _run_check(check, machine)]
        for title, checks in groups.items()
    }


def _run_check(check: Check, machine: Machine) -> Iterable[Finding]:
    try:
        result = check(machine)
    except Exception as error:  # whatever is wrong with this machine, the other lines matter
        found = f'the check itself failed: {type(error).__name__}: {error}'
        name = getattr(check, '__name__', 'check').replace('_', ' ')
        return [Finding(name, 'broken', found, 'this may be a bug in ChefMate; report it')]
    return [result] if isinstance(result, Finding) else result


def findings_table(groups: dict[str, list[Finding]]) -> Table:
    """Return the findings as a table, advice under its line."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, width=6)
    table.add_column(no_wrap=True)
    table.add_column(overflow='fold')
    for number, (title, findings) in enumerate(groups.items()):
        if number:
            table.add_row()
        table.add_row('', Text(title, style=HEADING), '')
        for finding in findings:
            mark, style = MARKS[finding.status]
            found = Text(finding.found, style='dim' if finding.status == 'skipped' else '')
            if finding.advice:
                found.append(f'\n-> {finding.advice}', style='yellow')
            table.add_row(Text(mark, style=style), finding.name, found)
    return table


def _summary(findings: list[Finding], purpose: str) -> Text:
    broken = [finding.name for finding in findings if finding.status == 'broken']
    warnings = sum(finding.status == 'warn' for finding in findings)
    what = 'the simulation' if purpose == 'sim' else 'the real arm'
    more = f' ({warnings} to look at)' if warnings else ''
    if broken:
        return Text(f'\nNot ready for {what}: {", ".join(broken)}{more}', style='bold red')
    return Text(f'\nReady for {what}{more}', style='bold green')
