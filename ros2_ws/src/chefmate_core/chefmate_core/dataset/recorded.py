"""A recording becomes a data set: positions in LeRobot's units, images compressed once."""

import contextlib
import pickle
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from chefmate_core.calibration import ArmCalibration
from chefmate_core.dataset.convert import Options, Progress, no_progress, write_works
from chefmate_core.dataset.errors import DatasetError
from chefmate_core.dataset.features import ACTION, CAMERA_PREFIX, DEFAULTS, STATE, arm_features
from chefmate_core.dataset.layout import Format
from chefmate_core.dataset.model import Dataset, Episode, VideoSpan
from chefmate_core.dataset.preparing import Prepared
from chefmate_core.dataset.rows import ParquetRows, write_parquet
from chefmate_core.dataset.source import EpisodeSource, Frame, RecordingSource
from chefmate_core.dataset.statistics import ImageStatistics, sample_indices
from chefmate_core.dataset.video import VideoCodec, VideoWriter
from chefmate_core.units import LerobotUnits, rad_to_lerobot

_ROWS = 'rows.parquet'


@dataclass(frozen=True)
class RecordWork:
    """One recorded episode."""

    source: EpisodeSource
    cameras: Mapping[str, tuple[int, int]]
    calibration: ArmCalibration
    fps: int
    units: LerobotUnits
    codec: VideoCodec

    def identity(self) -> str:
        """Return what tells this work from any other, the same in every process."""
        options = (dict(self.cameras), self.calibration.to_mapping(), self.fps, self.units)
        return repr((pickle.dumps(self.source), options, self.codec))

    def prepare(self, folder: Path, threads: int) -> Prepared:
        """Compress the images and write the rows.

        Raises:
            DatasetError: the recording cannot be read, or its images are not as it says.
        """
        sampled = frozenset(sample_indices(self.source.frame_count))
        cameras = {
            name: _Camera(folder / f'{CAMERA_PREFIX}{name}.mp4', self, name, threads, sampled)
            for name in self.cameras
        }
        states, actions = [], []
        with contextlib.ExitStack() as stack:
            for camera in cameras.values():
                stack.enter_context(camera.writer)
            add_all = _beside_each_other(stack) if threads > 1 else _one_by_one
            for index, frame in enumerate(self.source.frames()):
                states.append(frame.state_rad)
                actions.append(frame.action_rad)
                self._check(frame, index)
                add_all(cameras, frame, index)
        if not states:
            raise DatasetError(f'{self._name}: has no frames')
        self._write_rows(folder / _ROWS, np.stack(states), np.stack(actions))
        length = len(states)
        return Prepared(
            length,
            {
                f'{CAMERA_PREFIX}{name}': VideoSpan(camera.path, 0.0, length)
                for name, camera in cameras.items()
            },
            {
                f'{CAMERA_PREFIX}{name}': camera.statistics.figures()
                for name, camera in cameras.items()
            },
        )

    def episode(self, prepared: Prepared, folder: Path) -> Episode:
        """Return the episode as it is to be written."""
        tasks = (self.source.instruction,)
        return Episode(
            rows=ParquetRows(folder / _ROWS),
            length=prepared.length,
            tasks=tasks,
            task_table=tasks,
            videos=prepared.videos,
            statistics=prepared.statistics,
            origin=self._name,
        )

    @property
    def _name(self) -> str:
        return f'recorded episode {self.source.index}'

    def _check(self, frame: Frame, index: int) -> None:
        missing = [name for name in self.cameras if name not in frame.images]
        if missing:
            raise DatasetError(f'{self._name}, frame {index}: no image of {", ".join(missing)}')

    def _write_rows(self, path: Path, state_rad: np.ndarray, action_rad: np.ndarray) -> None:
        count = len(state_rad)
        features = arm_features({})
        columns = {
            ACTION: rad_to_lerobot(action_rad, self.calibration, self.units),
            STATE: rad_to_lerobot(state_rad, self.calibration, self.units),
            **{name: np.zeros(count) for name in DEFAULTS},  # numbered when they are written
            'timestamp': np.arange(count) / self.fps,
        }
        table = {}
        for key, feature in features.items():
            flat = pa.array(np.ascontiguousarray(columns[key], dtype=feature.dtype).ravel())
            table[key] = (
                flat
                if feature.shape == (1,)
                else pa.FixedSizeListArray.from_arrays(flat, feature.size)
            )
        write_parquet(path, [pa.table(table)])


class _Camera:
    """One camera's file and figures while an episode is written."""

    def __init__(
        self, path: Path, work: RecordWork, name: str, threads: int, sampled: frozenset[int]
    ) -> None:
        height, width = work.cameras[name]
        self.path, self._name, self._sampled = path, name, sampled
        self.writer = VideoWriter(path, work.fps, height, width, work.codec, threads)
        self.statistics = ImageStatistics()

    def add(self, frame: Frame, index: int) -> None:
        image = frame.images[self._name]
        self.writer.add(image)
        if index in self._sampled:
            self.statistics.add(image)


_AddAll = Callable[[Mapping[str, _Camera], Frame, int], None]


def _one_by_one(cameras: Mapping[str, _Camera], frame: Frame, index: int) -> None:
    for camera in cameras.values():
        camera.add(frame, index)


def _beside_each_other(stack: contextlib.ExitStack) -> _AddAll:
    """Encoders leave Python's lock: cameras can be compressed at once."""
    pool = stack.enter_context(ThreadPoolExecutor())

    def add_all(cameras: Mapping[str, _Camera], frame: Frame, index: int) -> None:
        for future in [pool.submit(camera.add, frame, index) for camera in cameras.values()]:
            future.result()

    return add_all


def write_recording(
    recording: RecordingSource,
    destination: str | Path,
    target: Format,
    *,
    units: LerobotUnits = LerobotUnits.RANGE_M100_100,
    options: Options | None = None,
    progress: Progress = no_progress,
) -> Path:
    """Write a recording as a data set and return its folder.

    Raises:
        DatasetRequestError: the destination exists, or there is no episode.
        DatasetError: the recording cannot be read.
    """
    options = options or Options()
    cameras = dict(recording.cameras)
    works = [
        RecordWork(
            source=episode,
            cameras=cameras,
            calibration=recording.calibration,
            fps=recording.fps,
            units=units,
            codec=options.codec or VideoCodec.H264,
        )
        for episode in recording.episodes
    ]
    frame = Dataset(
        fps=recording.fps,
        features=arm_features(cameras),
        episodes=(),
        robot_type=recording.robot_type,
    )
    return write_works(works, frame, destination, target, options, progress)
