"""Looks through a recording session."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from chefmate_core.calibration import ArmCalibration
from chefmate_core.dataset.errors import DatasetError
from chefmate_core.dataset_checks.episode_data import EpisodeData
from chefmate_core.dataset_checks.examination import Examination
from chefmate_core.dataset_checks.findings import Finding, Repairs, Where
from chefmate_core.dataset_checks.motion_checks import outside
from chefmate_core.dataset_checks.pictures import CameraPictures, wanted_rows
from chefmate_core.errors import CameraError
from chefmate_core.joints import JOINT_NAMES
from chefmate_core.observing.jpeg import JpegDecoder
from chefmate_core.session_reader import SessionEpisode
from chefmate_core.session_reader.manifest import (
    OPEN_EPISODE,
    SESSION_FILE,
    episode_folders,
    read_episode_manifest,
    read_session_manifest,
)
from chefmate_core.session_reader.ticks import EpisodeCounts
from chefmate_core.units import LerobotUnits, rad_to_lerobot

_LIMIT_SLACK_RAD = 0.05  # an arm that is pushed against its stop gives way a little
_MOST_REFUSED = 0.02  # of the ticks
_MOST_HELD = 0.05


def examine_session(path: Path, examination: Examination) -> None:
    """Fill the examination from a session's folder."""
    examination.format = 'session'
    repairs = examination.repairs
    for folder in sorted(path.glob(f'{OPEN_EPISODE}*')):
        examination.add([
            Finding(
                'unfinished-episode',
                Where(folder.name),
                'an episode that was never finished',
                'finished episodes only',
                examination.repairs.session(),
            )
        ])  # fmt: skip
    try:
        manifest = read_session_manifest(path)
    except DatasetError as error:
        examination.add(
            [_unreadable(Where(SESSION_FILE), error, 'the file of a session', repairs)]
        )
        return
    examination.fps = manifest.fps
    examination.robot_type = manifest.robot
    examination.cameras, examination.joint_names = tuple(manifest.cameras), JOINT_NAMES
    for folder in episode_folders(path):
        try:
            episode = read_episode_manifest(folder)
        except DatasetError as error:
            where = Where(f'{folder.name}.json')
            meant = 'index, instruction, outcome and report of the episode'
            examination.add([_unreadable(where, error, meant, repairs)])
            continue
        try:
            source = SessionEpisode(folder, episode, manifest.cameras, manifest.fps)
            _examine_episode(source, manifest.calibration, examination)
        except DatasetError as error:
            where = Where(folder.name, episode.index)
            meant = 'a rosbag2 folder with state, commands and images'
            examination.add([_unreadable(where, error, meant, repairs)])


def _unreadable(where: Where, error: DatasetError, meant: str, repairs: Repairs) -> Finding:
    return Finding('unreadable-file', where, str(error), meant, repairs.session())


def _examine_episode(
    episode: SessionEpisode, calibration: ArmCalibration, examination: Examination
) -> None:
    where = Where(episode.folder.name, episode.index)
    wanted, strip = wanted_rows(episode.frame_count, episode.fps)
    wanted_set = frozenset(wanted)
    pictures = {name: CameraPictures() for name in episode.cameras}
    decoders = {name: JpegDecoder() for name in episode.cameras}
    counts = EpisodeCounts()
    newest = dict.fromkeys(episode.cameras, 0.0)
    states, actions = [], []
    for tick in episode.ticks(counts):
        states.append(tick.state_rad)
        actions.append(tick.action_rad)
        for name, stamp_s in tick.image_stamps_s.items():
            counts.held_images[name] += stamp_s == newest[name]
            newest[name] = stamp_s
            if tick.index in wanted_set:
                try:
                    image = decoders[name].decode(tick.jpegs[name])
                except CameraError:
                    counts.unreadable_images[name] += 1
                    continue
                pictures[name].add(tick.index, image, tick.index in strip)
    state_rad, action_rad = np.stack(states), np.stack(actions)
    low = calibration.lower_limits_rad - _LIMIT_SLACK_RAD
    high = calibration.upper_limits_rad + _LIMIT_SLACK_RAD
    for what, values in (('state', state_rad), ('action', action_rad)):
        examination.add(outside(where, what, values, low, high, 'rad', examination.repairs))
    examination.add(_delivery(counts, where, examination))
    examination.add(_instructions(counts.instructions, episode, examination.repairs))
    examination.add(
        Finding(
            'recorder-finding',
            where,
            str(text),
            'nothing to tell',
            f'record it again, or leave it out: {examination.repairs.delete(episode.index)}',
        )
        for text in _recorder_findings(episode)
    )
    units = LerobotUnits.RANGE_M100_100
    examination.add_episode(
        EpisodeData(
            number=episode.index,
            file=episode.folder.name,
            fps=episode.fps,
            instruction=episode.instruction,
            timestamp_s=np.arange(len(states)) / episode.fps,
            state=rad_to_lerobot(state_rad, calibration, units),
            action=rad_to_lerobot(action_rad, calibration, units),
            cameras=pictures,
        ),
        check_ranges=False,
    )


def _recorder_findings(episode: SessionEpisode) -> list[str]:
    found = episode.manifest.report.get('findings')
    return [str(text) for text in found] if isinstance(found, list) else []


def _delivery(counts: EpisodeCounts, where: Where, examination: Examination) -> list[Finding]:
    """Return what the bag's stamps tell of how well sensors were recorded."""
    findings = []
    again = f'record it again, or leave it out: {examination.repairs.delete(where.episode or 0)}'

    def tell(
        name: str, found: str, expected: str, row: int | None = None, repair: str = again
    ) -> None:
        place = Where(where.file, where.episode, row)
        findings.append(Finding(name, place, found, expected, repair))

    refused = len(counts.refused)
    if refused > _MOST_REFUSED * counts.ticks:
        tell(
            'late-frames',
            f'{refused} of {counts.ticks} frames that a live policy would have refused: '
            f'{", ".join(counts.refusals)}',
            f'at most {_MOST_REFUSED:.0%}',
            counts.refused[0],
        )
    for name, held in counts.held_images.items():
        if held > _MOST_HELD * counts.ticks:
            tell(
                'repeated-frames',
                f'camera {name}: {held} of {counts.ticks} frames repeat the image before',
                f'at most {_MOST_HELD:.0%}: the camera delivers fewer images than fps asks for',
                repair=f'convert at a rate that it keeps (--fps), or: {again}',
            )
    for name, bad in counts.streams.bad_stamps.items():
        if bad:
            tell(
                'bad-stamps',
                f'{name}: {bad} messages stamped seconds away from when they were recorded',
                'clocks of all hosts together (chrony or PTP)',
            )
    for name, bad in counts.streams.malformed.items():
        if bad:
            tell('not-finite', f'{name}: {bad} messages without six finite positions', 'none')
    for name, bad in counts.unreadable_images.items():
        if bad:
            tell(
                'unreadable-images', f'camera {name}: {bad} images that cannot be decoded', 'none'
            )
    return findings


def _instructions(said: set[str], episode: SessionEpisode, repairs: Repairs) -> Iterator[Finding]:
    for text in sorted(said - {'', episode.instruction}):
        yield Finding(
            'instruction-mismatch',
            Where(episode.folder.name, episode.index),
            f'{text!r} was in force during the episode',
            f'{episode.instruction!r}, as its JSON file says',
            f'correct {episode.folder.name}.json, or: {repairs.delete(episode.index)}',
        )
