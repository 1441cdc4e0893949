"""Long recordings become few points, and lose no extreme and no gap."""

from itertools import pairwise

import numpy as np
import pytest

from chefmate.bag_plot.decimation import decimated, with_gaps
from chefmate.bag_plot.drawing import rate_over_time, runs, worst_over_time


def test_a_single_spike_in_an_hour_stays():
    time_s = np.arange(360_000) / 100
    rng = np.random.default_rng(1)
    for _ in range(3):
        values = rng.normal(0, 0.1, len(time_s))
        high, low = rng.integers(0, len(time_s), 2)
        values[high], values[low] = 5.0, -5.0
        x, y = decimated(time_s, values, 300)
        assert len(x) <= 5 * 300
        assert (y.max(), y.min()) == (5.0, -5.0)
        assert x[np.argmax(y)] == time_s[high]


def test_every_column_keeps_its_own_extremes():
    time_s = np.linspace(0, 1, 10_000)
    values = np.random.default_rng(2).normal(size=10_000)
    x, y = decimated(time_s, values, 100)
    edges = np.linspace(0, 1, 101)
    for low, high in pairwise(edges):
        inside = (time_s >= low) & (time_s < high)
        kept = (x >= low) & (x < high)
        assert y[kept].max() == values[inside].max()
        assert y[kept].min() == values[inside].min()


def test_points_stay_in_order_and_come_from_the_series():
    time_s = np.sort(np.random.default_rng(3).uniform(0, 10, 5000))
    values = np.sin(time_s)
    x, y = decimated(time_s, values, 50)
    assert (np.diff(x) > 0).all()
    assert (y == np.sin(x)).all()
    assert (x[0], x[-1]) == (time_s[0], time_s[-1])


def test_a_short_series_is_left_as_it_is():
    time_s, values = np.arange(10.0), np.arange(10.0)
    assert decimated(time_s, values, 100) == (time_s, values)


@pytest.mark.parametrize('count', [0, 1, 5000])
def test_messages_of_one_instant_are_no_problem(count):
    x, _ = decimated(*with_gaps(np.zeros(count), np.ones(count)), 10)
    assert len(x) == count


def test_a_pause_breaks_the_line_and_jitter_does_not():
    rng = np.random.default_rng(4)
    time_s = np.arange(1000) / 100 + rng.uniform(0, 0.03, 1000)
    time_s.sort()
    assert len(with_gaps(time_s, np.ones(1000))[0]) == 1000
    time_s[500:] += 2.0
    x, y = with_gaps(time_s, np.ones((1000, 6)))
    assert np.isnan(y[500]).all()
    assert time_s[499] < x[500] < time_s[500]
    assert np.isfinite(np.delete(y, 500, axis=0)).all()


def test_a_gap_is_not_lost_when_points_are():
    time_s = np.arange(50_000) / 100
    time_s[20_200:] += 1.0  # within a column of 5 s
    x, y = decimated(*with_gaps(time_s, np.ones(50_000)), 100)
    assert np.isnan(y).sum() == 1
    assert 202.0 < x[np.isnan(y)][0] < 203.0


def test_a_rate_counts_messages_by_the_second():
    times_s = np.concatenate([np.arange(0, 5, 0.01), np.arange(5, 10, 0.1)])
    middles_s, rate_hz = rate_over_time(times_s + 1e-6, 0.0, 10.0)
    assert middles_s.tolist() == [second + 0.5 for second in range(10)]
    assert rate_hz.tolist() == [100.0] * 5 + [10.0] * 5


def test_the_worst_of_each_stretch_is_kept_and_what_is_unknown_left_out():
    times_s = np.arange(0, 100, 0.01)
    values = np.zeros(len(times_s))
    values[4321] = 7.0
    values[5000:6000] = np.nan
    middles_s, worst = worst_over_time(times_s, values, 0.0, 100.0)
    assert worst.max() == 7.0
    assert abs(middles_s[np.argmax(worst)] - 43.21) < 0.5
    assert not ((middles_s > 50.5) & (middles_s < 59.5)).any()


def test_stretches_of_one_mode_follow_one_another_without_a_hole():
    time_s = np.arange(6) / 10
    found = runs(('a', 'a', 'b', 'b', 'b', 'a'), time_s)
    assert [mode for mode, *_ in found] == ['a', 'b', 'a']
    assert [begin for _, begin, _ in found] == pytest.approx([0.0, 0.2, 0.5])
    assert [end for *_, end in found] == pytest.approx([0.2, 0.5, 0.5])
