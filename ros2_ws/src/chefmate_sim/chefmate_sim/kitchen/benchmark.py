"""`python -m chefmate_sim.kitchen.benchmark`: how fast the kitchen runs and draws on this machine.

Wall time and processor time; the latter is what two cores have to share.
"""

import argparse
import sys
import time
from collections.abc import Callable

import numpy as np

from chefmate_core.joints import JOINT_COUNT
from chefmate_description.scene import HOME_POSITION_RAD
from chefmate_sim.kitchen.renderer import CAMERA_NAMES, KitchenRenderer
from chefmate_sim.kitchen.scene_builder import TIMESTEP_S
from chefmate_sim.kitchen.world import KitchenWorld

_CONTROL_PERIOD_S = 0.01
_PICTURE_PAIRS = 60


def main() -> int:
    """Run the benchmark; return the exit status."""
    parser = argparse.ArgumentParser(
        prog='python -m chefmate_sim.kitchen.benchmark', description=__doc__
    )
    parser.add_argument('--seed', type=int, default=0, help='which kitchen (default 0)')
    parser.add_argument(
        '--duration', type=float, default=10.0, help='simulated seconds (default 10)'
    )
    arguments = parser.parse_args()
    world = KitchenWorld(arguments.seed)
    for index in range(JOINT_COUNT):
        world.set_torque_limit(index, 1.0)
    wall_s, processor_s = _timed(lambda: _move(world, arguments.duration))
    _report(
        f'physics, arm moving, slices at rest, {TIMESTEP_S * 1e3:.0f} ms steps: real-time factor '
        f'{arguments.duration / wall_s:.0f} (processor: {arguments.duration / processor_s:.0f})'
    )
    state = world.render_state()
    with KitchenRenderer(arguments.seed) as renderer:

        def draw_pair() -> None:
            renderer.set_state(state.joint_position_rad, state.object_poses)
            for camera in CAMERA_NAMES:
                renderer.image(camera)

        def draw_pairs() -> None:
            for _ in range(_PICTURE_PAIRS):
                draw_pair()

        draw_pair()
        wall_s, processor_s = _timed(draw_pairs)
        _report(
            f'both cameras, {renderer.width} x {renderer.height}, {renderer.backend}: '
            f'{wall_s / _PICTURE_PAIRS * 1e3:.1f} ms a pair '
            f'(processor: {processor_s / _PICTURE_PAIRS * 1e3:.1f} ms)'
        )
    return 0


def _move(world: KitchenWorld, duration_s: float) -> None:
    """Wave the arm around home, without touching anything."""
    for step in range(round(duration_s / _CONTROL_PERIOD_S)):
        phase = 2 * np.pi * step * _CONTROL_PERIOD_S / 4.0
        for index, home_rad in enumerate(HOME_POSITION_RAD):
            world.set_goal(index, home_rad + 0.05 * np.sin(phase + index))
        world.advance(_CONTROL_PERIOD_S)


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    wall_s, processor_s = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall_s, time.process_time() - processor_s


def _report(line: str) -> None:
    sys.stdout.write(line + '\n')


if __name__ == '__main__':
    sys.exit(main())
