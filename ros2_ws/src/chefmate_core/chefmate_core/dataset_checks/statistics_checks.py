"""Checks of stored statistics: are there any, and are they those of the data?"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from chefmate_core.dataset.features import DEFAULTS
from chefmate_core.dataset.statistics import number_statistics
from chefmate_core.dataset_checks.findings import Finding, Repairs, Where

FIGURES = ('min', 'max', 'mean', 'std')
# Of a column's spread: what float32, or another way to sum, may differ by.
_SLACK = 1e-3


def lacking(
    stored: Mapping[str, Mapping[str, Any]] | None, keys: Iterable[str]
) -> tuple[str, ...]:
    """Return the columns and cameras that have no figures.

    Those of images are only looked for: to make them anew, all videos would be decoded.
    """
    return tuple(key for key in keys if key not in (stored or {}))


def missing_statistics(
    keys: Sequence[str], where: Where, repairs: Repairs, of_training: bool = True
) -> Iterator[Finding]:
    """Yield one finding for the columns that training normalises by, and one for the others."""
    needed = [key for key in keys if of_training and key not in DEFAULTS]
    others = [key for key in keys if key not in needed]
    meant = f'{", ".join(FIGURES)} of every column'
    if needed:
        yield Finding(
            'missing-statistics',
            where,
            f'none of {", ".join(needed)}',
            f'{meant}: training normalises by them',
            repairs.rewrite(),
        )
    if others:
        yield Finding(
            'incomplete-statistics',
            where,
            f'none of {", ".join(others)}',
            f'{meant}; training does not need these',
            repairs.rewrite(),
        )


def check_statistics(
    stored: Mapping[str, Mapping[str, Any]] | None,
    columns: Mapping[str, np.ndarray],
    where: Where,
    repairs: Repairs,
) -> Iterator[Finding]:
    """Yield figures that differ from those of the columns."""
    stored = stored or {}
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
