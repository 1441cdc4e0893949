"""Load a data set with LeRobot itself and write down all that it says of it.

    python read_back.py ROOT OUT.npz

Runs in the environment of `make lerobot-data-env`; LeRobot's version is that on the path.
"""

import json
import sys
from importlib.metadata import version

import numpy as np
import stand_in  # noqa: F401 (before LeRobot imports torchvision)
from lerobot.datasets.lerobot_dataset import LeRobotDataset


def main(root, out):
    data = LeRobotDataset('local/set', root=root, video_backend='pyav')
    items = [data[index] for index in range(len(data))]
    arrays = {
        key: np.stack([item[key].numpy() for item in items]) for key in items[0] if key != 'task'
    }
    said = {
        'version': version('lerobot'),
        'format': data.meta.info['codebase_version'],
        'fps': data.fps,
        'episodes': data.num_episodes,
        'frames': data.num_frames,
        'tasks': [item['task'] for item in items],
        'cameras': data.meta.camera_keys,
        'statistics': {
            key: {name: np.asarray(value).tolist() for name, value in figures.items()}
            for key, figures in data.meta.stats.items()
        },
    }
    np.savez(out, said=json.dumps(said), **arrays)


if __name__ == '__main__':
    main(*sys.argv[1:])
