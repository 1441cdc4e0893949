#!/usr/bin/env python3
"""Draws the README's picture: both cameras, side by side, while the arm places a slice.

    python benchmarks/picture.py [--phase 'cheese_slice: placing'] [--output FILE.png]

In process, without ROS: the scripted expert works in the kitchen of one seed until the named phase
is well under way. Drawn at twice the size and scaled down, because the cameras draw without
anti-aliasing. `--list` prints the phases instead.
"""

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np

from chefmate_core.errors import ChefMateError, ConfigurationError
from chefmate_sim.expert.policy import ExpertPolicy
from chefmate_sim.expert.simulate import Simulation, SimulationResult
from chefmate_sim.kitchen.renderer import KitchenRenderer
from chefmate_sim.kitchen.world import KitchenWorld, RenderState

ROOT = Path(__file__).resolve().parents[1]
WIDTH_PX, HEIGHT_PX, OVERSAMPLING, GAP_PX = 512, 384, 2, 8
WHITE = 255


class Shutter:
    """Remembers the kitchen `delay_s` after the policy has entered a phase."""

    def __init__(self, phase: str, delay_s: float) -> None:
        self.state: RenderState | None = None
        self._phase, self._delay_s = phase, delay_s
        self._due_s: float | None = None

    def __call__(self, simulation: Simulation) -> None:
        """Look at the simulation; it calls this before every control step."""
        now_s = simulation.world.time_s
        if self._due_s is None and simulation.phase.startswith(self._phase):
            self._due_s = now_s + self._delay_s
        if self.state is None and self._due_s is not None and now_s >= self._due_s:
            self.state = simulation.world.render_state()


def cook(seed: int, instruction: str, shutter: Shutter) -> SimulationResult:
    """Carry out one instruction in the kitchen of one seed."""
    return Simulation(KitchenWorld(seed), ExpertPolicy()).run(instruction, on_step=shutter)


def draw(seed: int, state: RenderState) -> np.ndarray:
    """Return scene and wrist camera side by side, uint8 rgb, shape (384, 1032, 3)."""
    width, height = WIDTH_PX * OVERSAMPLING, HEIGHT_PX * OVERSAMPLING
    with KitchenRenderer(seed, width, height) as renderer:
        views = [
            cv2.resize(
                renderer.render(camera, state.joint_position_rad, state.object_poses),
                (WIDTH_PX, HEIGHT_PX),
                interpolation=cv2.INTER_AREA,
            )
            for camera in ('scene', 'wrist')
        ]
    gap = np.full((HEIGHT_PX, GAP_PX, 3), WHITE, np.uint8)
    return np.hstack([views[0], gap, views[1]])


def main() -> int:
    """Draw what the arguments ask for; return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--seed', type=int, default=0, help='which kitchen (default 0)')
    parser.add_argument('--instruction', default='make a sandwich')
    parser.add_argument('--phase', default='cheese_slice: placing', help="the phase's beginning")
    parser.add_argument('--delay', type=float, default=0.5, help='seconds into the phase')
    parser.add_argument('--output', type=Path, default=ROOT / 'docs' / 'images' / 'kitchen.png')
    parser.add_argument('--list', action='store_true', help='print the phases and draw nothing')
    arguments = parser.parse_args()
    shutter = Shutter(arguments.phase, arguments.delay)
    try:
        result = cook(arguments.seed, arguments.instruction, shutter)
        phases = '\n'.join(f'{time_s:6.2f} s  {phase}' for time_s, phase in result.phases)
        if arguments.list:
            print(phases)
            return 0
        if shutter.state is None:
            raise ConfigurationError(
                f'no phase begins with {arguments.phase!r}; there were:\n{phases}'
            )
        picture = draw(arguments.seed, shutter.state)
    except ChefMateError as error:
        print(error, file=sys.stderr)
        return 1
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    options = [cv2.IMWRITE_PNG_COMPRESSION, 9]
    cv2.imwrite(str(arguments.output), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), options)
    print(f'{arguments.output}: {arguments.output.stat().st_size / 1e3:.0f} kB')
    return 0


if __name__ == '__main__':
    sys.exit(main())
