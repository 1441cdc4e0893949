"""How closely a twin follows: real processes, the kitchen's bus, the bridge, a second kitchen.

    python benchmarks/twin.py [--seconds 30] [--preset careful] [--json FILE]

The virtual arm of one kitchen moves on a known curve through driver and gate; MuJoCo in Isaac
Sim's place follows. **Real to twin**: from the stamp of the arm's reading to the arrival of the
command at the simulator, message by message. **Latency of the motion**: the shift in time by which
the twin's motion fits the arm's best; servos included. **Error**: real minus simulated at the same
time, over the whole motion. **Processor time** of the bridge: with a twin, and for `joint_states`
alone.
"""

import argparse
import contextlib
import datetime
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from motion import curve
from sensor_msgs.msg import JointState

from chefmate_core.joints import JOINT_NAMES
from chefmate_ros import qos
from chefmate_ros.joint_messages import joint_state

ROOT = Path(__file__).resolve().parents[1]
TICKS_PER_S = os.sysconf('SC_CLK_TCK')


class Observer:
    """Commands the arm, and hears what everybody says of it."""

    def __init__(self) -> None:
        rclpy.init()
        self.node = rclpy.create_node('twin_benchmark')
        self.statuses = {}
        self.applied = None
        self._played_s = 0.0  # of the curve
        self._commands = self.node.create_publisher(
            JointState, 'follower/joint_commands', qos.COMMAND
        )
        self.node.create_subscription(
            DiagnosticArray, '/diagnostics', self._on_diagnostics, qos.DIAGNOSTICS
        )
        self.node.create_subscription(
            JointState, 'follower/joint_commands_applied', self._on_applied, qos.LATEST_STATE
        )

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            self.statuses[status.name] = {value.key: value.value for value in status.values}

    def _on_applied(self, message: JointState) -> None:
        self.applied = np.array(message.position)

    def command(self, position_rad: np.ndarray) -> None:
        """Say where the arm is to be, and hear what is said."""
        stamp = self.node.get_clock().now().to_msg()
        self._commands.publish(joint_state(stamp, position_rad, 0.0 * position_rad, 'benchmark'))
        rclpy.spin_once(self.node, timeout_sec=0.0)

    def move(self, seconds: float) -> None:
        """Play the curve on at 50 Hz; a leap would measure the gate's caps, not the twin."""
        begun_s = time.monotonic() - self._played_s
        end_s = self._played_s + seconds
        while self._played_s < end_s:
            self.command(curve(self._played_s))
            time.sleep(0.02)
            self._played_s = time.monotonic() - begun_s

    def wait_for(self, condition, what: str) -> None:
        """Hear until it is so."""
        end_s = time.monotonic() + 90.0
        while not condition():
            if time.monotonic() > end_s:
                sys.exit(f'{what} did not happen')
            rclpy.spin_once(self.node, timeout_sec=0.05)


@contextlib.contextmanager
def launched(log, *words: str):
    """A running `chefmate launch WORDS`."""
    process = subprocess.Popen(
        ['chefmate', 'launch', *words], stdout=log, stderr=subprocess.STDOUT
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(15.0)


def process_folder(executable: str) -> Path:
    """Return the folder in /proc of the one process of this name in our ROS domain."""
    domain = f'ROS_DOMAIN_ID={os.environ.get("ROS_DOMAIN_ID", "0")}'.encode()
    for folder in Path('/proc').glob('[0-9]*'):
        with contextlib.suppress(OSError):
            words = (folder / 'cmdline').read_bytes().split(b'\0')
            ours = domain in (folder / 'environ').read_bytes().split(b'\0')
            if ours and any(word.endswith(executable.encode()) for word in words[:2]):
                return folder
    sys.exit(f'{executable} does not run')


def processor_s(folder: Path) -> float:
    """Return the processor time that a process has taken."""
    fields = (folder / 'stat').read_text().rsplit(')', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def measure(arguments, folder: Path) -> dict:
    """Bring everything up, move twice, take it down."""
    with (folder / 'log').open('w') as log, contextlib.ExitStack() as stack:
        stack.enter_context(launched(log, 'world', f'run_dir:={folder}', 'cameras:=false'))
        stack.enter_context(launched(
            log, 'arm', f'port:={folder}/follower', 'wait_for_port_s:=60.0',
            f'calibration:={ROOT}/calibration/follower.json', f'preset:={arguments.preset}',
        ))  # fmt: skip
        parameters = folder / 'twin.yaml'
        parameters.write_text(
            f'joint_state_bridge: {{ros__parameters: {{window: {arguments.seconds:.1f}}}}}\n'
        )
        observer = Observer()
        observer.wait_for(lambda: observer.applied is not None, 'torque')
        with launched(log, 'twin', 'arm:=none', f'params_file:={parameters}'):
            observer.wait_for(lambda: 'twin: physics' in observer.statuses, 'the twin')
            cpu = observe_cpu(observer, arguments.seconds)
            observer.move(2.0)
            bridge = observer.statuses['joint_state_bridge: twin']
            twin = observer.statuses['twin: physics']
        with launched(log, 'twin', 'arm:=none', 'twin:=none'):
            observer.statuses.clear()
            observer.wait_for(
                lambda: 'joint_state_bridge: joint_states' in observer.statuses, 'the bridge'
            )
            alone = observe_cpu(observer, arguments.seconds)
    return {
        'date': datetime.date.today().isoformat(),
        'machine': f'{platform.machine()}, {os.cpu_count()} cores, '
        f'Python {platform.python_version()}',
        'load': os.getloadavg()[0],
        'seconds': arguments.seconds,
        'real_time_factor': float(twin['real_time_factor']),
        'real_to_twin_ms': {
            part: float(twin[f'command_age_{part}_ms']) for part in ('p50', 'p99', 'max')
        },
        'command_rate_hz': float(twin['command_rate_hz']),
        'motion_latency_ms': float(bridge['latency_ms'] or 'nan'),
        'processor_percent': {'mirror': cpu, 'joint_states_alone': alone},
        'error_rad': {
            name: {
                part: float(bridge[f'{name}_error_{part}_rad']) for part in ('rms', 'max')
            }
            for name in JOINT_NAMES
        },
    }  # fmt: skip


def observe_cpu(observer: Observer, seconds: float) -> float:
    """Move, and return what the bridge took of a core meanwhile, percent."""
    bridge = process_folder('joint_state_bridge_node')
    observer.move(5.0)  # the blend; the look at all processes has interrupted the motion
    before_s, begun_s = processor_s(bridge), time.monotonic()
    observer.move(seconds)
    taken_s = processor_s(bridge) - before_s
    return 100.0 * taken_s / (time.monotonic() - begun_s)


def show(result: dict) -> None:
    """Print the tables."""
    age, cpu = result['real_to_twin_ms'], result['processor_percent']
    print(f'{result["date"]}, {result["machine"]}, load {result["load"]:.1f}; '
          f'{result["seconds"]:.0f} s, real-time factor {result["real_time_factor"]:.2f}\n\n'
          f'| | |\n|---|---|\n'
          f'| reading of the arm to command at the simulator, ms | p50 {age["p50"]:.1f}, '
          f'p99 {age["p99"]:.1f}, max {age["max"]:.1f} |\n'
          f'| commands | {result["command_rate_hz"]:.0f} Hz |\n'
          f'| latency of the motion, ms | {result["motion_latency_ms"]:.0f} |\n'
          f'| bridge, of a core | {cpu["mirror"]:.1f} % with a twin, '
          f'{cpu["joint_states_alone"]:.1f} % for `joint_states` alone |')  # fmt: skip
    print('\n| joint | error rms, rad | error max, rad |\n|---|---|---|')
    for name, error in result['error_rad'].items():
        print(f'| `{name}` | {error["rms"]:.4f} | {error["max"]:.4f} |')


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--seconds', type=float, default=30.0)
    parser.add_argument('--preset', choices=('careful', 'normal', 'fast'), default='careful')
    parser.add_argument('--json', type=Path)
    arguments = parser.parse_args()
    os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    with tempfile.TemporaryDirectory(prefix='chefmate_twin_') as folder:
        try:
            result = measure(arguments, Path(folder))
        except (SystemExit, KeyError):
            print((Path(folder) / 'log').read_text(), file=sys.stderr)
            raise
    show(result)
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1) + '\n')


if __name__ == '__main__':
    main()
