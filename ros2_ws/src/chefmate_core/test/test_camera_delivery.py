import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chefmate_core.camera.delivery import DeliveryMeter
from chefmate_core.errors import ConfigurationError

PERIOD_S = 1 / 30


def filled(indices, latency_s=0.005, window=0):
    meter = DeliveryMeter(PERIOD_S, window)
    for index in indices:
        meter.add(100 + index * PERIOD_S, 100 + index * PERIOD_S + latency_s)
    return meter.report()


def test_a_complete_stream_has_everything():
    report = filled(range(31))
    assert (report.arrived, report.missing, report.delivery_ratio) == (31, 0, 1.0)
    assert report.rate_hz == pytest.approx(30.0)
    assert report.max_gap_s == pytest.approx(PERIOD_S)
    assert report.latency_p99_s == pytest.approx(0.005)


@given(kept=st.sets(st.integers(1, 98), max_size=98))
def test_what_is_missing_between_two_frames_is_counted_exactly(kept):
    report = filled(sorted({0, 99} | kept))
    assert report.arrived + report.missing == 100
    assert report.delivery_ratio == pytest.approx((len(kept) + 2) / 100)


def test_jitter_below_half_a_period_is_no_loss():
    jitter_s = np.random.default_rng(1).uniform(-0.2, 0.2, 200) * PERIOD_S
    report = filled(np.arange(200) + jitter_s / PERIOD_S)
    assert report.missing == 0


def test_late_frames_show_in_the_tail():
    meter = DeliveryMeter(PERIOD_S)
    for index in range(100):
        meter.add(index * PERIOD_S, index * PERIOD_S + (0.2 if index == 50 else 0.004))
    report = meter.report()
    assert report.latency_p50_s == pytest.approx(0.004)
    assert report.latency_max_s == pytest.approx(0.2)


@pytest.mark.parametrize('times', [(math.nan, 1.0), (1.0, math.nan), (math.inf, 1.0)])
def test_a_time_that_is_no_number_is_counted_and_left_out(times):
    meter = DeliveryMeter(PERIOD_S)
    assert not meter.add(*times)
    report = meter.report()
    assert (report.arrived, report.bad_stamps) == (0, 1)
    assert math.isnan(report.delivery_ratio)


def test_duplicates_and_frames_out_of_order_are_counted_and_left_out():
    meter = DeliveryMeter(PERIOD_S)
    accepted = [meter.add(stamp_s, stamp_s) for stamp_s in (1.0, 1.0, 0.5, 1.1)]
    assert accepted == [True, False, False, True]
    assert meter.report().out_of_order == 2


def test_after_the_clock_was_set_back_a_window_begins_anew():
    live, recorded = DeliveryMeter(PERIOD_S, window=90), DeliveryMeter(PERIOD_S)
    for meter in (live, recorded):
        for start_s in (1000.0, 400.0):
            for index in range(30):
                meter.add(start_s + index * PERIOD_S, start_s + index * PERIOD_S + 0.02)
    assert (live.report().arrived, live.report().out_of_order) == (30, 1)
    assert live.report().rate_hz == pytest.approx(1 / PERIOD_S)
    assert (recorded.report().arrived, recorded.report().out_of_order) == (30, 30)


def test_a_window_forgets_old_losses():
    assert filled([0, 9, *range(10, 40)], window=20).missing == 0


def test_no_frame_and_one_frame_are_no_error():
    assert math.isnan(filled([]).rate_hz)
    assert math.isnan(filled([0]).max_gap_s)
    assert filled([0]).latency_max_s == pytest.approx(0.005)


@pytest.mark.parametrize('period_s', [0.0, -1.0, math.nan, math.inf])
def test_a_period_that_is_no_time_is_refused(period_s):
    with pytest.raises(ConfigurationError):
        DeliveryMeter(period_s)
