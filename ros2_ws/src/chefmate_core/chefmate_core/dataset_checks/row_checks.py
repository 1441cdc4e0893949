"""Checks of an episode's rows: numbering, times, tasks, numbers."""

from collections.abc import Iterator, Mapping

import numpy as np

from chefmate_core.dataset_checks.findings import Finding, Repairs, Where

# Source: huggingface/lerobot, `LeRobotDataset(tolerance_s=1e-4)`: rows further off are refused.
TOLERANCE_S = 1e-4


def check_numbering(
    columns: Mapping[str, np.ndarray], where: Where, first_index: int, repairs: Repairs
) -> Iterator[Finding]:
    """Yield where `index`, `frame_index` and `episode_index` do not count as they must."""
    count = len(columns['frame_index'])
    meant = {
        'frame_index': np.arange(count),
        'index': np.arange(first_index, first_index + count),
        'episode_index': np.full(count, where.episode),
    }
    for name, values in meant.items():
        wrong = np.flatnonzero(columns[name] != values)
        if len(wrong):
            row = int(wrong[0])
            yield Finding(
                'wrong-index',
                Where(where.file, where.episode, row),
                f'{name} {columns[name][row]} ({len(wrong)} rows differ)',
                f'{values[row]}',
                repairs.rewrite(),
            )


def check_times(
    timestamp_s: np.ndarray, fps: int, where: Where, repairs: Repairs
) -> Iterator[Finding]:
    """Yield a wrong rate, or else the first time that is not on the grid of the rate."""
    count = len(timestamp_s)
    meant = np.arange(count) / fps
    # float32 holds the times of an hour to 0.1 ms.
    off = ~(np.abs(timestamp_s - meant) <= TOLERANCE_S + np.spacing(meant.astype(np.float32)))
    if not off.any():
        return
    steps = np.diff(timestamp_s)
    step_s = float(np.median(steps)) if count > 1 else 1.0 / fps
    if step_s > 0 and abs(step_s * fps - 1.0) > 0.02:
        yield Finding(
            'wrong-fps',
            where,
            f'rows {step_s * 1e3:.1f} ms apart, which is {1 / step_s:.2f} a second',
            f'{fps} a second, as meta/info.json says',
            f'set fps in meta/info.json to {round(1 / step_s)}, or record again',
        )
        return
    row = int(np.argmax(off))
    yield Finding(
        'timestamps-off',
        Where(where.file, where.episode, row),
        f'timestamp {timestamp_s[row]:.4f} s ({int(off.sum())} rows are off)',
        f'{meant[row]:.4f} s: frame_index / fps, within {TOLERANCE_S:g} s',
        repairs.delete(where.episode or 0),
    )


def check_tasks(
    task_index: np.ndarray, known: int, where: Where, repairs: Repairs
) -> Iterator[Finding]:
    """Yield the first row whose task is not in the table of `known` tasks."""
    wrong = np.flatnonzero((task_index < 0) | (task_index >= known))
    if len(wrong):
        row = int(wrong[0])
        yield Finding(
            'unknown-task',
            Where(where.file, where.episode, row),
            f'task_index {task_index[row]} ({len(wrong)} rows)',
            f'0 to {known - 1}: the table of tasks has {known}',
            repairs.delete(where.episode or 0),
        )


def check_finite(
    columns: Mapping[str, np.ndarray], where: Where, repairs: Repairs
) -> Iterator[Finding]:
    """Yield each column that holds NaN or infinity."""
    for name, values in columns.items():
        if not np.issubdtype(values.dtype, np.floating):
            continue
        wrong = ~np.isfinite(values.reshape(len(values), -1)).all(axis=1)
        if wrong.any():
            row = int(np.argmax(wrong))
            yield Finding(
                'not-finite',
                Where(where.file, where.episode, row),
                f'{name} {values[row].tolist()} ({int(wrong.sum())} rows)',
                'finite numbers',
                repairs.delete(where.episode or 0),
            )
