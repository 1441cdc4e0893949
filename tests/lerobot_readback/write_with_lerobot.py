"""Write a data set with LeRobot's own writer and print how many seconds it took.

    python write_with_lerobot.py PLAN.json

For `benchmarks/dataset.py`; the time is that of reading JPEGs and of LeRobot's calls alone.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import stand_in  # noqa: F401 (before LeRobot imports torchvision)
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from PIL import Image


def main(plan_path):
    plan = json.loads(Path(plan_path).read_text())
    joints = ['shoulder_pan', 'shoulder_lift', 'elbow_flex', 'wrist_flex', 'wrist_roll', 'gripper']
    names = [f'{joint}.pos' for joint in joints]
    shape = (plan['height'], plan['width'], 3)
    features = {
        'action': {'dtype': 'float32', 'shape': (6,), 'names': names},
        'observation.state': {'dtype': 'float32', 'shape': (6,), 'names': names},
    }
    for camera in plan['episodes'][0]:
        features[f'observation.images.{camera}'] = {
            'dtype': 'video',
            'shape': shape,
            'names': ['height', 'width', 'channels'],
        }
    started = time.perf_counter()
    data = LeRobotDataset.create(
        'local/set',
        plan['fps'],
        features,
        root=plan['root'],
        vcodec=plan['codec'],
        streaming_encoding=plan['streaming'],
        # What lerobot-record uses: four threads a camera write images to disk.
        image_writer_threads=0 if plan['streaming'] else 8,
        encoder_queue_maxsize=10_000,  # it drops images when the queue is full
    )
    for episode in plan['episodes']:
        for index, paths in enumerate(zip(*episode.values(), strict=True)):
            position = (0.5 * np.sin(0.05 * index + np.arange(6))).astype(np.float32)
            frame = {'action': position, 'observation.state': position, 'task': plan['task']}
            for camera, path in zip(episode, paths, strict=True):
                with Image.open(path) as image:
                    frame[f'observation.images.{camera}'] = np.asarray(image.convert('RGB'))
            data.add_frame(frame)
        data.save_episode()
    data.finalize()
    print(time.perf_counter() - started)


if __name__ == '__main__':
    main(*sys.argv[1:])
