"""How fast recordings become data sets, beside LeRobot's own writer on the same frames.

    python benchmarks/dataset.py [--seconds 10] [--episodes 2] [--rounds 3] [--json FILE]

Frames: two cameras of 640x480, moving and noisy, decoded from JPEG as a recording holds them. All
take turns in one run on one machine: ChefMate with H.264 and AV1; LeRobot 0.4.4 (AV1, as it writes
by default; AV1 and H.264 by `streaming_encoding`) where `make lerobot-data-env` has made its
environment.
"""

import argparse
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

from stored_recording import CAMERAS, FPS, HEIGHT, WIDTH, StoredRecording, store

from chefmate_core.calibration import ArmCalibration
from chefmate_core.dataset.convert import Options
from chefmate_core.dataset.layout import Format
from chefmate_core.dataset.recorded import write_recording
from chefmate_core.dataset.video import VideoCodec

ROOT = Path(__file__).resolve().parents[1]
READBACK = ROOT / 'tests' / 'lerobot_readback'


def ours(recording: StoredRecording, codec: VideoCodec, folder: Path) -> float:
    """Return seconds."""
    started = time.perf_counter()
    write_recording(recording, folder, Format.LEROBOT_V30, options=Options(codec=codec))
    return time.perf_counter() - started


def lerobots(recording: StoredRecording, codec: str, streaming: bool, folder: Path) -> float:
    """Return seconds, without the start of Python and the imports."""
    environment = Path(os.environ.get('CHEFMATE_LEROBOT_ENV', READBACK / '.venv'))
    variables = {
        key: value for key, value in os.environ.items() if not key.startswith(('PYTHON', 'LD_'))
    } | {'HF_HUB_OFFLINE': '1', 'HF_HOME': str(folder / 'hf')}
    episodes = [
        {name: [str(episode.path(name, index)) for index in range(episode.frame_count)]
         for name in CAMERAS}
        for episode in recording.episodes
    ]  # fmt: skip
    plan = folder / 'plan.json'
    plan.write_text(
        json.dumps(
            {
                'root': str(folder / 'set'),
                'codec': codec,
                'streaming': streaming,
                'fps': FPS,
                'height': HEIGHT,
                'width': WIDTH,
                'task': recording.episodes[0].instruction,
                'episodes': episodes,
            }
        )
    )
    done = subprocess.run(
        [str(environment / 'bin/python'), str(READBACK / 'write_with_lerobot.py'), str(plan)],
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f'LeRobot failed:\n{done.stderr[-2000:]}')
    return float(done.stdout.strip().splitlines()[-1])


def size_mb(folder: Path) -> float:
    """Return how large the videos of a data set are."""
    return sum(path.stat().st_size for path in folder.rglob('*.mp4')) / 1e6


def contestants(with_lerobot: bool) -> dict[str, Callable[[StoredRecording, Path], float]]:
    """Return name -> what writes a recording to a folder and says how many seconds it took."""
    found: dict[str, Callable[[StoredRecording, Path], float]] = {
        f'ChefMate {codec.value}': lambda made, path, codec=codec: ours(made, codec, path / 'set')
        for codec in VideoCodec
    }
    if with_lerobot:
        for codec, streaming in (('libsvtav1', False), ('libsvtav1', True), ('h264', True)):
            name = f'LeRobot {codec}{", streaming" if streaming else ""}'
            found[name] = partial(_lerobots, codec=codec, streaming=streaming)
    return found


def _lerobots(made: StoredRecording, path: Path, codec: str, streaming: bool) -> float:
    return lerobots(made, codec, streaming, path)


def main() -> None:
    """Measure all writers in turn, several times, and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--seconds', type=float, default=10, help='of each episode')
    parser.add_argument('--episodes', type=int, default=2)
    parser.add_argument('--rounds', type=int, default=3, help='in which all take turns')
    parser.add_argument('--json', type=Path)
    args = parser.parse_args()
    environment = Path(os.environ.get('CHEFMATE_LEROBOT_ENV', READBACK / '.venv'))
    writers = contestants((environment / 'bin/python').exists())
    frames = round(args.seconds * FPS)
    pairs = frames * args.episodes
    speeds: dict[str, list[float]] = {name: [] for name in writers}
    sizes: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / 'jpeg').mkdir()
        calibration = ArmCalibration.load(ROOT / 'calibration' / 'follower.json')
        recording = store(root / 'jpeg', args.episodes, frames, calibration)
        print(f'{args.episodes} episodes of {frames} pairs, {os.cpu_count()} processors')
        for turn in range(args.rounds):
            for writer, write in writers.items():
                folder = root / f'{turn}'
                folder.mkdir()
                speeds[writer].append(pairs / write(recording, folder))
                sizes[writer] = size_mb(folder)
                shutil.rmtree(folder)
                print(f'round {turn + 1}: {writer}: {speeds[writer][-1]:.1f} pairs/s', flush=True)
    results = [
        {
            'writer': writer,
            'pairs_per_s': round(median(measured), 1),
            'each_round': [round(speed, 1) for speed in measured],
            'video_mb': round(sizes[writer], 1),
        }
        for writer, measured in speeds.items()
    ]
    for row in results:
        print('{writer:30} {pairs_per_s:8.1f} pairs/s  {video_mb:7.1f} MB'.format(**row))
    if len(writers) == len(VideoCodec):
        print('LeRobot: no environment here (make lerobot-data-env)')
    if args.json:
        report = {'processors': os.cpu_count(), 'pairs': pairs, 'results': results}
        args.json.write_text(json.dumps(report, indent=2) + '\n')


if __name__ == '__main__':
    main()
