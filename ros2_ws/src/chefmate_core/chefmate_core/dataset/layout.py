"""Where the files of each format are, and how each writes `info.json`.

Sources: huggingface/lerobot 0.3.3 and 0.4.4, `datasets/utils.py`; NVIDIA/Isaac-GR00T (N1.5),
`gr00t/data/dataset.py` and `getting_started/LeRobot_compatible_data_schema.md`.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Any

from chefmate_core.dataset.model import Dataset

INFO = 'meta/info.json'
STATS = 'meta/stats.json'
MODALITY = 'meta/modality.json'
EPISODES_JSONL = 'meta/episodes.jsonl'
EPISODES_STATS_JSONL = 'meta/episodes_stats.jsonl'
TASKS_JSONL = 'meta/tasks.jsonl'
TASKS_PARQUET = 'meta/tasks.parquet'
EPISODES_FOLDER = 'meta/episodes'

V21_DATA = 'data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet'
V21_VIDEO = 'videos/chunk-{episode_chunk:03d}/{video_key}/episode_{episode_index:06d}.mp4'
V30_DATA = 'data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet'
V30_VIDEO = 'videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4'
V30_EPISODES = EPISODES_FOLDER + '/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet'

# Keys of info.json that are made anew by the writer; the others are kept.
INFO_KEYS = (
    'codebase_version',
    'robot_type',
    'total_episodes',
    'total_frames',
    'total_tasks',
    'total_videos',
    'total_chunks',
    'chunks_size',
    'data_files_size_in_mb',
    'video_files_size_in_mb',
    'fps',
    'splits',
    'data_path',
    'video_path',
    'features',
)


class Format(Enum):
    """The formats that are read and written."""

    LEROBOT_V21 = 'lerobot-v2.1'
    LEROBOT_V30 = 'lerobot-v3'
    GROOT = 'groot'


@dataclass(frozen=True)
class Limits:
    """How large files and folders may become; the values are LeRobot's."""

    chunk_files: int = 1000
    data_mb: float = 100
    video_mb: float = 200


def info_common(dataset: Dataset, version: str, limits: Limits) -> dict[str, Any]:
    """Return what `info.json` says in both versions."""
    episodes = len(dataset.episodes)
    return {
        **dataset.extra_info,
        'codebase_version': version,
        'robot_type': dataset.robot_type,
        'total_episodes': episodes,
        'total_frames': dataset.total_frames,
        'total_tasks': len(dataset.tasks),
        'chunks_size': limits.chunk_files,
        'fps': dataset.fps,
        'splits': dict(dataset.splits or {'train': f'0:{episodes}'}),
    }


def features_of(dataset: Dataset) -> dict[str, Any]:
    """Return the features for `info.json`."""
    return {key: feature.to_dict() for key, feature in dataset.features.items()}
