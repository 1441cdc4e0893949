"""LeRobot's side of the bus bench; run by a Python that has LeRobot, and knows nothing of ours.

It is asked by a JSON object a line: port, cycles, warm_up, patience_s, calibration. A cycle is
what LeRobot's own SO-101 follower does (`so_follower.py`: sync_read of positions, sync_write of
goals, both normalized), and a sync_read of velocities.

The module `lerobot.utils.utils` is left out: the bus takes two helpers for the terminal from it,
neither of which a cycle calls, and it would import torch.
"""

import json
import sys
import time
import types


def _without_torch():
    helpers = types.ModuleType('lerobot.utils.utils')

    def not_here(*_):
        raise NotImplementedError('no terminal here')

    helpers.__dict__.update(enter_pressed=not_here, move_cursor_up=not_here)
    sys.modules['lerobot.utils.utils'] = helpers


def connect(port, calibration, patience_s):
    """Return a connected bus, set up as LeRobot's follower sets it up."""
    from lerobot.motors import Motor, MotorCalibration, MotorNormMode
    from lerobot.motors.feetech import FeetechMotorsBus

    motors = {
        name: Motor(
            entry['id'],
            'sts3215',
            MotorNormMode.RANGE_0_100 if name == 'gripper' else MotorNormMode.RANGE_M100_100,
        )
        for name, entry in calibration.items()
    }
    bus = FeetechMotorsBus(
        port,
        motors,
        {name: MotorCalibration(**entry) for name, entry in calibration.items()},
    )
    bus.connect()
    handler = bus.port_handler
    handler.setPacketTimeout = lambda length: handler.setPacketTimeoutMillis(patience_s * 1e3)
    return bus


def run(port, cycles, warm_up, patience_s, calibration):
    """Return `durations_s` and `cpu_s`, as every client does."""
    bus = connect(port, json.loads(calibration), patience_s)
    goal = bus.sync_read('Present_Position')

    def cycle():
        bus.sync_read('Present_Position')
        bus.sync_read('Present_Velocity')
        bus.sync_write('Goal_Position', goal)

    try:
        for _ in range(warm_up):
            cycle()
        durations_s = []
        cpu_from_s = time.thread_time()
        before_s = time.perf_counter()
        for _ in range(cycles):
            cycle()
            now_s = time.perf_counter()
            durations_s.append(now_s - before_s)
            before_s = now_s
        return {'durations_s': durations_s, 'cpu_s': time.thread_time() - cpu_from_s}
    finally:
        bus.disconnect(disable_torque=False)


def main():
    """Answer until the input ends."""
    _without_torch()
    for line in sys.stdin:
        try:
            answer = run(**json.loads(line))
        except Exception as error:  # who asked is told, and decides
            answer = {'error': f'{type(error).__name__}: {error}'}
        sys.stdout.write(json.dumps(answer) + '\n')
        sys.stdout.flush()


if __name__ == '__main__':
    main()
