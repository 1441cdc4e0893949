"""`chefmate sim practice-arm`: an uncalibrated arm, and a hand that does as it is told."""

import argparse
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

from chefmate_core.calibrating.files import ARMS
from chefmate_core.calibrating.views import Step

# word of the person -> (step of the wizard, what the hand does)
WORDS = {
    'middle': (Step.MIDDLE, 'every joint to its middle'),
    'range': (Step.RANGE, 'every joint to both of its stops, one after the other'),
    'close': (Step.GRIPPER, 'the gripper closed'),
}
LEAVE = 'leave'


def add_parser(actions: 'argparse._SubParsersAction') -> None:
    """Add `practice-arm`."""
    parser = actions.add_parser(
        'practice-arm',
        description='A virtual arm fresh out of its box, to try `chefmate calibrate` on. You type '
        'what the hand shall do with it: middle, range, close; leave (or Ctrl-C) ends it. '
        'docs/first-data-set.md leads through the whole way.',
        examples=(
            ('chefmate sim practice-arm follower', 'in one terminal, and in another:'),
            ('chefmate calibrate follower --port practice/follower --out practice', 'the wizard'),
        ),
    )
    parser.add_argument('arm', choices=ARMS, help='which arm')
    parser.add_argument(
        '--dir',
        type=Path,
        default=Path('practice'),
        help="folder of its port (default: 'practice')",
    )
    parser.add_argument('--seed', type=int, default=0, help='how it was put together (default: 0)')


def run(args: argparse.Namespace) -> int:
    """Offer the arm until the person leaves."""
    from chefmate_sim.practice.arm import HeldError, PracticeArm

    console = Console(highlight=False)
    folder = args.dir
    folder.mkdir(parents=True, exist_ok=True)
    link = folder / args.arm
    # Two arms of one person were not put together alike.
    seed = 2 * args.seed + ARMS.index(args.arm)
    with PracticeArm(link, seed) as arm:
        console.print(f'A new {args.arm} is at {link}. In another terminal, in this folder:')
        command = f'chefmate calibrate {args.arm} --port {link} --out {folder}'
        console.print(Text(f'  {command}', style='cyan'), soft_wrap=True)
        console.print('Then type here what the hand shall do:')
        for word, (_, meaning) in WORDS.items():
            console.print(Text.assemble(f'  {word:8}', (meaning, 'dim')))
        console.print(Text.assemble(f'  {LEAVE:8}', ('unplug the arm and end', 'dim')))
        try:
            while True:
                console.print('hand> ', end='')
                line = sys.stdin.readline()
                word = line.strip().lower()
                if not line or word == LEAVE:
                    return 0
                if not word:
                    continue
                if word not in WORDS:
                    known = ', '.join((*WORDS, LEAVE))
                    console.print(Text(f'{word!r} is not known; there are: {known}', 'yellow'))
                    continue
                step, meaning = WORDS[word]
                try:
                    with console.status(f'the hand moves: {meaning}'):
                        arm.move(step)
                except HeldError as error:
                    console.print(Text(str(error), 'yellow'))
                else:
                    console.print(f'done: {meaning}. Now Enter in the wizard.')
        except KeyboardInterrupt:
            return 0
