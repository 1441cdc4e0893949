"""Checks of stored statistics: are there any, and are they those of the data?"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from chefmate_core.dataset.statistics import number_statistics
from chefmate_core.dataset_checks.findings import Finding, Repairs, Where

FIGURES = ('min', 'max', 'mean', 'std')
# Of a column's spread: what float32, or another way to sum, may differ by.
_SLACK = 1e-3


def check_statistics(
    stored: Mapping[str, Mapping[str, Any]] | None,
    columns: Mapping[str, np.ndarray],
    cameras: tuple[str, ...],
    where: Where,
    repairs: Repairs,
) -> Iterator[Finding]:
    """Yield figures that are missing, or differ from those of the columns.

    Those of images are only looked for: to make them anew, all videos would be decoded.
    """
    stored = stored or {}
    missing = [key for key in (*columns, *cameras) if key not in stored]
    if missing:
        yield Finding(
            'missing-statistics',
            where,
            f'none of {", ".join(missing)}',
            f'{", ".join(FIGURES)} of every column: training normalises by them',
            repairs.rewrite(),
        )
    for key, values in columns.items():
        if key not in stored or not len(values) or not np.isfinite(values).all():
            continue  # NaN is a finding of its own
        actual = number_statistics(values)
        spread = float(np.max(actual['max'] - actual['min']))
        for figure in FIGURES:
            there = _as_array(stored[key].get(figure))
            if there is None or there.size != actual[figure].size:
                yield _stale(where, key, figure, there, actual[figure], repairs)
                break
            difference = np.abs(there.ravel() - actual[figure].ravel())
            allowed = _SLACK * spread + 1e-6 * np.abs(actual[figure].ravel()) + 1e-6
            if not np.all(difference <= allowed):
                yield _stale(where, key, figure, there.ravel(), actual[figure].ravel(), repairs)
                break


def _as_array(value: Any) -> np.ndarray | None:
    try:
        return None if value is None else np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        return None


def _stale(
    where: Where,
    key: str,
    figure: str,
    there: np.ndarray | None,
    actual: np.ndarray,
    repairs: Repairs,
) -> Finding:
    found = 'nothing' if there is None else np.round(there, 3).tolist()
    return Finding(
        'stale-statistics',
        where,
        f'{figure} of {key} {found}',
        f'{np.round(actual, 3).tolist()}, as the rows have it',
        repairs.rewrite(),
    )
