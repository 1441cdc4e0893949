"""Does the recorder lose anything, and what does it cost?

    python benchmarks/recording.py [--seconds 300] [--session FOLDER] [--json FILE]

Three processes: the recorder node as it is launched; two cameras' pictures (640x480 JPEG of noise,
about 60 KB each, 30 Hz) from one; joint states, applied commands, commands and the leader's states
(100 Hz each) and diagnostics from another. Every message is numbered by its stamp; after the
episode the bag is read and compared with what was published between its first and last message.

CPU is that of the recorder's process, in percent of one core, from /proc.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
CONFIG = ROOT / 'ros2_ws/src/chefmate/config'
CALIBRATION = ROOT / 'calibration'
CAMERA_HZ, STATE_HZ = 30.0, 100.0
CAMERAS = ('wrist', 'scene')
STATES = (
    'follower/joint_states',
    'follower/joint_commands_applied',
    'follower/joint_commands',
    'leader/joint_states',
)
PICTURES = 8  # different ones, in turn: nothing looks frozen
PATIENCE_S = 60.0
AFTER_S = 3.0  # writers go on for so long after the episode has ended


def paced(rate_hz: float, seconds: float):
    """Yield at a rate, until it is over; a late one is not skipped."""
    start_s = time.monotonic()
    for index in range(round(rate_hz * seconds)):
        time.sleep(max(0.0, start_s + index / rate_hz - time.monotonic()))
        yield index


def publish_pictures(seconds: float, log: Path) -> None:
    """Publish both cameras; write every stamp to the log."""
    import rclpy
    from sensor_msgs.msg import CompressedImage

    from chefmate_ros import qos
    from chefmate_ros.image_messages import image_header
    from chefmate_ros.jpeg_messages import jpeg_message

    rclpy.init()
    node = rclpy.create_node('pictures')
    rng = np.random.default_rng(1)
    noise = [rng.integers(0, 256, (60, 80, 3), np.uint8) for _ in range(PICTURES)]
    images = [np.kron(small, np.ones((8, 8, 1), np.uint8)) for small in noise]
    images = [image + rng.integers(0, 24, image.shape, np.uint8) for image in images]
    messages = [jpeg_message(image, image_header(0, 'camera'), 85) for image in images]
    writers = {
        name: node.create_publisher(CompressedImage, f'{name}/image_raw/compressed', qos.IMAGE)
        for name in CAMERAS
    }
    sent: dict[str, list[int]] = {f'{name}/image_raw/compressed': [] for name in CAMERAS}
    for index in paced(CAMERA_HZ, seconds):
        for name, writer in writers.items():
            stamp_ns = time.time_ns()
            message = messages[index % PICTURES]
            message.header = image_header(stamp_ns, f'{name}_camera_optical_frame')
            writer.publish(message)
            sent[f'{name}/image_raw/compressed'].append(stamp_ns)
    log.write_text(json.dumps(sent))
    rclpy.try_shutdown()


def publish_states(seconds: float, log: Path) -> None:
    """Publish the joints and diagnostics; write every stamp to the log."""
    import rclpy
    from diagnostic_msgs.msg import DiagnosticArray
    from sensor_msgs.msg import JointState

    from chefmate_ros import qos
    from chefmate_ros.joint_messages import joint_state, time_message

    rclpy.init()
    node = rclpy.create_node('states')
    writers = {
        name: node.create_publisher(
            JointState, name, qos.COMMAND if name.endswith('commands') else qos.STATE
        )
        for name in STATES
    }
    health = node.create_publisher(DiagnosticArray, '/diagnostics', qos.DIAGNOSTICS)
    sent: dict[str, list[int]] = {name: [] for name in STATES}
    for index in paced(STATE_HZ, seconds):
        position_rad = np.full(6, 0.3 * np.sin(index * 0.01))
        for name, writer in writers.items():
            stamp = time_message(time.time())
            writer.publish(joint_state(stamp, position_rad, np.zeros(6)))
            sent[name].append(stamp.sec * 10**9 + stamp.nanosec)
        if index % 100 == 0:
            health.publish(DiagnosticArray())
    log.write_text(json.dumps(sent))
    rclpy.try_shutdown()


def cpu_s(pid: int) -> float:
    """Return the processor time of a process so far, s."""
    fields = Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def recorder_command(session: Path) -> list[str]:
    """Return the command of a recorder that is told by services when to begin."""
    values = {
        'session': session,
        'instruction': 'measure the recorder',
        'follower_calibration': CALIBRATION / 'follower.json',
        'leader_calibration': CALIBRATION / 'leader.json',
        'stop_free_mb': 100.0,
        'warn_free_mb': 200.0,
        'on_stall': 'continue',
    }
    words = [word for key, value in values.items() for word in ('-p', f'{key}:={value}')]
    start = 'import sys; from chefmate.start import recorder_node; sys.exit(recorder_node())'
    return [sys.executable, '-c', start, '--ros-args', *words]


def call(node, client, patience_s: float = PATIENCE_S) -> str:
    """Call a trigger service until it succeeds; return its message."""
    import rclpy
    from std_srvs.srv import Trigger

    end_s, said = time.monotonic() + patience_s, 'nobody answered'
    while time.monotonic() < end_s:
        if client.wait_for_service(0.2):
            future = client.call_async(Trigger.Request())
            rclpy.spin_until_future_complete(node, future, timeout_sec=patience_s)
            if future.done():
                said = future.result().message
                if future.result().success:
                    return said
        time.sleep(0.2)
    sys.exit(f'the recorder refused: {said}')


def measure(seconds: float, session: Path, environment: dict[str, str]) -> dict[str, object]:
    """Record for so long; return what was measured."""
    import rclpy
    from std_srvs.srv import Trigger

    os.environ.update(environment)
    logs = [session.parent / f'{role}.json' for role in ('pictures', 'states')]
    # The writers run from before the episode until after it.
    run_s = seconds + 2 * AFTER_S + 10.0
    command = [sys.executable, str(Path(__file__).resolve()), '--seconds', str(run_s)]
    recorder = subprocess.Popen(recorder_command(session), env=environment)
    writers = [
        subprocess.Popen([*command, '--role', log.stem, '--log', str(log)], env=environment)
        for log in logs
    ]
    try:
        rclpy.init()
        node = rclpy.create_node('bench')
        clients = [
            node.create_client(Trigger, f'recorder/{name}_recording') for name in ('start', 'stop')
        ]
        call(node, clients[0])
        start_s, start_cpu_s = time.monotonic(), cpu_s(recorder.pid)
        time.sleep(seconds)
        used_s, lasted_s = cpu_s(recorder.pid) - start_cpu_s, time.monotonic() - start_s
        call(node, clients[1])
        rclpy.try_shutdown()
        for writer in writers:
            writer.wait(run_s + PATIENCE_S)
    finally:
        for process in (recorder, *writers):
            process.terminate()
            process.wait()
    sent = {name: stamps for log in logs for name, stamps in json.loads(log.read_text()).items()}
    size_mb = sum(p.stat().st_size for p in (session / 'episode_000000').iterdir()) / 1e6
    report = json.loads((session / 'episode_000000.json').read_text())['report']
    return {
        'seconds': lasted_s,
        'cpu_percent': 100.0 * used_s / lasted_s,
        'written_mb': size_mb,
        'mb_per_s': size_mb / lasted_s,
        'topics': compare(session, sent),
        'findings': report['findings'],
    }


def compare(session: Path, sent: dict[str, list[int]]) -> dict[str, dict[str, float]]:
    """Return of each topic how many messages should be in the bag, how many are not, their age."""
    from chefmate_core.recording.cdr import read_header
    from chefmate_core.recording.salvage import salvage

    found: dict[str, set[int]] = {name: set() for name in sent}
    ages_s: dict[str, list[float]] = {name: [] for name in sent}
    for item in salvage(session / 'episode_000000' / 'episode_000000_0.mcap'):
        name = item.channel.topic.lstrip('/')
        if name in sent:
            stamp_ns = read_header(item.message.data).stamp_ns
            found[name].add(stamp_ns)
            ages_s[name].append((item.message.log_time - stamp_ns) * 1e-9)
    compared = {}
    for name, stamps in sent.items():
        first, last = min(found[name]), max(found[name])
        expected = {stamp for stamp in stamps if first <= stamp <= last}
        compared[name] = {
            'expected': len(expected),
            'lost': len(expected - found[name]),
            'age_p99_ms': 1e3 * float(np.quantile(ages_s[name], 0.99)),
        }
    return compared


def main() -> None:
    """Measure, print, save."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--seconds', type=float, default=300.0, help='length of the episode')
    parser.add_argument('--session', type=Path, help='keep the recording there')
    parser.add_argument('--json', type=Path, help='write the figures there')
    parser.add_argument('--domain', type=int, default=84, help='ROS_DOMAIN_ID')
    parser.add_argument('--role', choices=('pictures', 'states'), help=argparse.SUPPRESS)
    parser.add_argument('--log', type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.role:
        publish = {'pictures': publish_pictures, 'states': publish_states}[args.role]
        return publish(args.seconds, args.log)
    from chefmate_core.dds import dds_environment

    environment = {**os.environ, 'ROS_DOMAIN_ID': str(args.domain)}
    environment['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
    environment.update(dds_environment(CONFIG))
    with tempfile.TemporaryDirectory(prefix='chefmate_recording_') as folder:
        result = measure(args.seconds, args.session or Path(folder, 'session'), environment)
    print(
        f'{result["seconds"]:.0f} s: CPU {result["cpu_percent"]:.0f} % of a core, '
        f'{result["written_mb"]:.0f} MB, {result["mb_per_s"]:.2f} MB/s'
    )
    for name, counts in result['topics'].items():
        print(
            f'  {name:32s} {counts["lost"]:5d} of {counts["expected"]:6d} lost, '
            f'age p99 {counts["age_p99_ms"]:6.1f} ms'
        )
    if args.json:
        args.json.write_text(json.dumps(result, indent=2) + '\n')
    return None


if __name__ == '__main__':
    main()
