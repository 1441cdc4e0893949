"""`chefmate sim usd`: the kitchen as a file for Isaac Sim, or what is wrong with such a file."""

import argparse
import importlib.util
from pathlib import Path

from rich.console import Console
from rich.text import Text

from chefmate_core.errors import ConfigurationError


def add_parser(actions: 'argparse._SubParsersAction') -> None:
    """Add `usd`."""
    parser = actions.add_parser(
        'usd',
        description='Write the kitchen of a seed as USD for Isaac Sim: table, tray, plate, '
        'ingredients, the arm as an articulation, two cameras. Or say which prim of a file '
        'breaks which rule. docs/isaac.md says how to use it.',
        examples=(
            ('chefmate sim usd kitchen.usda', 'text; .usdc is the small binary form'),
            ('chefmate sim usd kitchen.usd --seed 7', 'the same kitchen as seed:=7 in MuJoCo'),
            ('chefmate sim usd --validate mine.usd', 'exit 1 if a rule is broken'),
        ),
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument('out', nargs='?', type=Path, metavar='OUT', help='file to write')
    what.add_argument('--validate', type=Path, metavar='FILE', help='file to look at instead')
    parser.add_argument('--seed', type=int, default=0, help='which kitchen (default 0)')


def run(args: argparse.Namespace) -> int:
    """Write or look at a file; 1 if the file breaks a rule.

    Raises:
        ConfigurationError: usd-core is missing, or the file cannot be written or read.
    """
    if importlib.util.find_spec('pxr') is None:
        raise ConfigurationError(
            'usd-core, which writes USD, is not installed. Next: make, or pip install usd-core'
        )
    # 0.3 s: not for the help page.
    from chefmate_sim.isaac.stage import build_stage, open_stage, write_stage
    from chefmate_sim.isaac.validator import validate
    from chefmate_sim.kitchen.variation import KitchenVariation

    console = Console(highlight=False)
    if args.validate:
        findings = validate(open_stage(args.validate))
        for finding in findings:
            console.print(Text(str(finding)), soft_wrap=True)
        said = f'broken rules: {len(findings)}' if findings else 'no rule is broken'
        console.print(said)
        return 1 if findings else 0
    write_stage(build_stage(KitchenVariation.sample(args.seed)), args.out)
    size_kb = args.out.stat().st_size / 1000
    console.print(f'{args.out}: kitchen of seed {args.seed}, {size_kb:.0f} kB', soft_wrap=True)
    return 0
