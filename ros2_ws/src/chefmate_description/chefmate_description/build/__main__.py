"""`python -m chefmate_description.build [--output DIR]`: write meshes/, urdf/ and mjcf/."""

import argparse
import sys
from pathlib import Path

try:
    from chefmate_description.build import BuildError
    from chefmate_description.build.generate import check_requirements, generate
    from chefmate_description.share import source_tree_share_path
except ModuleNotFoundError as missing:
    sys.exit(
        f'chefmate_description: the Python package {missing.name} is not installed for '
        f'{sys.executable}. Install what is listed in ros2_ws/bootstrap/requirements/sim.in for '
        f'this Python, or build with the Python of the virtual environment'
    )


def main() -> int:
    """Run the tool; return the exit status."""
    parser = argparse.ArgumentParser(
        prog='python -m chefmate_description.build', description=__doc__
    )
    parser.add_argument(
        '--output',
        type=Path,
        default=None,
        help='folder to write to (default: build/chefmate_description/share of this workspace)',
    )
    parser.add_argument(
        '--check', action='store_true', help='only see whether everything needed is installed'
    )
    arguments = parser.parse_args()
    output = arguments.output or source_tree_share_path()
    try:
        if arguments.check:
            check_requirements()
            return 0
        report = generate(output)
    except BuildError as error:
        sys.stderr.write(f'chefmate_description: {error}\n')
        return 1
    sys.stdout.write(
        f'{output}: {len(report)} meshes, {sum(report.values())} faces as files hold them\n'
    )
    return 0


if __name__ == '__main__':
    sys.exit(main())
