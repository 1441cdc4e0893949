"""Open a data set of any known format."""

from pathlib import Path

from chefmate_core.dataset import layout
from chefmate_core.dataset.files import read_json
from chefmate_core.dataset.info import Info, read_info
from chefmate_core.dataset.model import Dataset
from chefmate_core.dataset.v21_reader import read_episodes as read_v21
from chefmate_core.dataset.v30_reader import read_episodes as read_v30

_KNOWN_META = (
    layout.INFO,
    layout.STATS,
    layout.MODALITY,
    layout.EPISODES_JSONL,
    layout.EPISODES_STATS_JSONL,
    layout.TASKS_JSONL,
    layout.TASKS_PARQUET,
)


def open_dataset(root: str | Path) -> Dataset:
    """Return the data set in a folder; rows and images are read later.

    Raises:
        DatasetError: it is no data set, or its tables are missing or damaged.
    """
    root = Path(root)
    info = read_info(root)
    episodes = read_v30(info, root) if info.version == 'v3.0' else read_v21(info, root)
    gaps = any(episode.stated_index != number for number, episode in enumerate(episodes))
    modality = root / layout.MODALITY
    return Dataset(
        fps=info.fps,
        features=info.features,
        episodes=episodes,
        robot_type=info.robot_type,
        extra_info=info.extra,
        splits=None if gaps else info.splits,
        modality=read_json(modality) if modality.is_file() else None,
        format=format_of(info, root).value,
        root=root,
        extra_files=tuple(
            str(path.relative_to(root))
            for path in sorted((root / 'meta').iterdir())
            if path.is_file() and str(path.relative_to(root)) not in _KNOWN_META
        ),
    )


def format_of(info: Info, root: Path) -> layout.Format:
    """Return the format that a data set is in."""
    if info.version == 'v3.0':
        return layout.Format.LEROBOT_V30
    if (root / layout.MODALITY).is_file():
        return layout.Format.GROOT
    return layout.Format.LEROBOT_V21
