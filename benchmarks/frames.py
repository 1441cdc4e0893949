"""How many camera frames arrive, and how late, from one process to another.

    python benchmarks/frames.py [--images 300] [--cases default chefmate] [--readers every latest]

Two processes, two topics of 640x480 rgb at 30 Hz, as `camera_node` publishes them. The cases:
    default      what ROS 2 does without any profile
    large_data   Fast DDS's own answer, FASTDDS_BUILTIN_TRANSPORTS=LARGE_DATA
    chefmate     the profile and environment that the launch files set

Latency runs from just before publish() to the reader's callback, on one steady clock. A pause is
the longest time for which a process did nothing of its own: the machine kept it from running.
A frame counts only if its pixels arrived too. Prints one line per case, or JSON with --json.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from chefmate_core.timing import Pauses

WIDTH_PX, HEIGHT_PX = 640, 480
RATE_HZ = 30.0
CAMERAS = ('wrist', 'scene')
CASES = ('default', 'large_data', 'chefmate')
READERS = ('every', 'latest')
CONFIG = Path(__file__).resolve().parents[1] / 'ros2_ws/src/chefmate/config'
DISCOVERY_TIMEOUT_S = 20.0
WARM_UP = -1  # index of the frames before the first that counts
LOOK_S = 0.02  # how long the reader waits for a frame before it looks at the clock
SILENCE_S = 3.0  # after this long without a frame the reader gives its report


def case_environment(case: str, domain_id: int) -> dict[str, str]:
    """Return the environment of both processes of a case."""
    from chefmate_core.dds import dds_environment

    unset = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_BUILTIN_TRANSPORTS', 'CYCLONEDDS_URI')
    environment = {key: value for key, value in os.environ.items() if key not in unset}
    environment['ROS_DOMAIN_ID'] = str(domain_id)
    environment['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
    if case == 'chefmate':
        environment.update(dds_environment(CONFIG))
    elif case == 'large_data':
        environment['FASTDDS_BUILTIN_TRANSPORTS'] = 'LARGE_DATA'
    return environment


def frame(seed: int) -> np.ndarray:
    """Return a noise image, uint8 (H, W, 3): nothing on the way can compress or skip it."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (HEIGHT_PX, WIDTH_PX, 3), dtype=np.uint8)


def write(images: int) -> None:
    """Publish `images` frames per camera once both readers are there; print how long it took."""
    import rclpy
    from sensor_msgs.msg import Image
    from std_msgs.msg import Empty

    from chefmate_ros import image_messages, qos

    rclpy.init()
    node = rclpy.create_node('frames_writer')
    publishers = [node.create_publisher(Image, f'{name}/image_raw', qos.IMAGE) for name in CAMERAS]
    warm: list[Empty] = []
    node.create_subscription(Empty, 'warm', warm.append, qos.LATCHED)
    deadline_s = time.monotonic() + DISCOVERY_TIMEOUT_S
    small = np.zeros((1, 1, 3), dtype=np.uint8)
    while not warm:  # discovery takes its time in both directions, and is not what is measured
        if time.monotonic() > deadline_s:
            sys.exit(f'no reader within {DISCOVERY_TIMEOUT_S} s')
        for publisher in publishers:
            header = image_messages.image_header(time.monotonic_ns(), str(WARM_UP))
            publisher.publish(image_messages.image_message(small, header))
        rclpy.spin_once(node, timeout_sec=0.05)
    image = frame(0)
    publish_s = []
    pauses = Pauses()
    start_s = time.monotonic()
    for index in range(images):
        time.sleep(max(0.0, start_s + index / RATE_HZ - time.monotonic()))
        for publisher in publishers:
            stamp_ns = time.monotonic_ns()
            message = image_messages.image_message(
                image, image_messages.image_header(stamp_ns, str(index))
            )
            publisher.publish(message)
            publish_s.append((time.monotonic_ns() - stamp_ns) * 1e-9)
        pauses.tick()
    time.sleep(SILENCE_S)
    result = {
        'publish_p50_ms': 1e3 * float(np.median(publish_s)),
        'writer_pause_ms': 1e3 * pauses.longest_s,
    }
    print(json.dumps(result))
    rclpy.try_shutdown()


def read(images: int, reader: str) -> None:
    """Receive until all frames are there or silence falls; print what came."""
    import rclpy
    from rclpy.qos import QoSProfile
    from sensor_msgs.msg import Image
    from std_msgs.msg import Empty

    from chefmate_ros import image_messages, qos

    profile: QoSProfile = {'every': qos.EVERY_IMAGE, 'latest': qos.LATEST_IMAGE}[reader]
    rclpy.init()
    node = rclpy.create_node('frames_reader')
    warm_publisher = node.create_publisher(Empty, 'warm', qos.LATCHED)
    waiting = set(CAMERAS)
    expected = frame(0)
    latency_s: list[float] = []
    seen: set[tuple[str, int]] = set()
    last_s = time.monotonic() + DISCOVERY_TIMEOUT_S

    def receive(name: str, message: Image) -> None:
        nonlocal last_s
        last_s = time.monotonic()
        index = int(message.header.frame_id)
        if index == WARM_UP:
            waiting.discard(name)
            if not waiting:
                warm_publisher.publish(Empty())
            return
        latency_s.append(last_s - image_messages.stamp_ns(message.header) * 1e-9)
        if np.array_equal(image_messages.rgb_image(message), expected):
            seen.add((name, index))

    for name in CAMERAS:
        node.create_subscription(
            Image, f'{name}/image_raw', lambda message, name=name: receive(name, message), profile
        )
    pauses = Pauses()
    while len(seen) < images * len(CAMERAS) and time.monotonic() < last_s + SILENCE_S:
        rclpy.spin_once(node, timeout_sec=LOOK_S)
        pauses.tick()
    quantiles = np.quantile(latency_s, [0.5, 0.99, 1.0]) * 1e3 if latency_s else [np.nan] * 3
    result = dict(zip(('p50_ms', 'p99_ms', 'max_ms'), map(float, quantiles), strict=True))
    result['lost'] = {
        name: [index for index in range(images) if (name, index) not in seen] for name in CAMERAS
    }
    result['reader_pause_ms'] = 1e3 * pauses.longest_s
    print(json.dumps({'arrived': len(seen), 'sent': images * len(CAMERAS), **result}))
    rclpy.try_shutdown()


def measure(case: str, reader: str, images: int, domain_id: int) -> dict[str, object]:
    """Run one case in two fresh processes and return what both printed."""
    environment = case_environment(case, domain_id)
    command = [sys.executable, str(Path(__file__).resolve()), '--images', str(images)]
    timeout_s = images / RATE_HZ + DISCOVERY_TIMEOUT_S + 4 * SILENCE_S
    with (
        subprocess.Popen(
            [*command, '--role', reader], env=environment, stdout=subprocess.PIPE, text=True
        ) as reading,
        subprocess.Popen(
            [*command, '--role', 'write'], env=environment, stdout=subprocess.PIPE, text=True
        ) as writing,
    ):
        try:
            outputs = [
                process.communicate(timeout=timeout_s)[0].strip() for process in (writing, reading)
            ]
        finally:
            reading.kill()
            writing.kill()
    result: dict[str, object] = {'case': case, 'reader': reader}
    for output in outputs:
        result.update(json.loads(output.splitlines()[-1]))
    return result


def main() -> None:
    """Measure what the arguments ask for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--images', type=int, default=300, help='frames of each camera')
    parser.add_argument('--cases', nargs='+', choices=CASES, default=['default', 'chefmate'])
    parser.add_argument('--readers', nargs='+', choices=READERS, default=list(READERS))
    parser.add_argument('--domain', type=int, default=83, help='ROS_DOMAIN_ID of the measurement')
    parser.add_argument('--json', action='store_true', help='one JSON object a line')
    parser.add_argument('--role', choices=('write', *READERS), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.role == 'write':
        return write(arguments.images)
    if arguments.role:
        return read(arguments.images, arguments.role)
    for case in arguments.cases:
        for reader in arguments.readers:
            result = measure(case, reader, arguments.images, arguments.domain)
            if arguments.json:
                print(json.dumps(result), flush=True)
                continue
            ratio = 100.0 * result['arrived'] / result['sent']
            print(
                f'{case:10s} {reader:6s} {result["arrived"]:5d} of {result["sent"]:5d} '
                f'({ratio:6.2f} %)  p50 {result["p50_ms"]:6.1f} ms  p99 {result["p99_ms"]:6.1f} '
                f'ms  max {result["max_ms"]:6.1f} ms  publish {result["publish_p50_ms"]:.1f} ms  '
                f'longest pauses: writer {result["writer_pause_ms"]:.0f} ms, '
                f'reader {result["reader_pause_ms"]:.0f} ms',
                flush=True,
            )
    return None


if __name__ == '__main__':
    main()
