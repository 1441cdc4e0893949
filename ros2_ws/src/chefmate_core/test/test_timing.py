"""Loops on the steady clock; nothing here depends on how punctual the machine is."""

import threading
import time

import numpy as np
import pytest

from chefmate_core.timing import Durations, Rate, Ticker, percentiles_ms


def test_durations_keep_the_newest_and_count_all():
    durations = Durations(kept=4)
    for value in range(1, 7):
        durations.add(value * 1e-3)
    assert durations.count == 6
    assert sorted(durations.newest_s()) == pytest.approx([3e-3, 4e-3, 5e-3, 6e-3])
    assert durations.summary_ms('x')['x_max_ms'] == pytest.approx(6.0)


def test_a_ring_that_is_not_full_says_nothing_about_its_empty_part():
    durations = Durations(kept=100)
    assert durations.summary_ms('x') == {}
    durations.add(0.5)
    assert durations.summary_ms('x') == pytest.approx(
        dict.fromkeys(('x_p50_ms', 'x_p99_ms', 'x_p999_ms', 'x_max_ms'), 500.0)
    )


def test_percentiles_are_ordered_and_find_one_in_a_thousand():
    values = [1e-3] * 995 + [9e-3] * 5
    for durations_s in (values, np.array(values), (value for value in values)):
        found = percentiles_ms(durations_s, 'p')
        assert list(found) == ['p_p50_ms', 'p_p99_ms', 'p_p999_ms', 'p_max_ms']
        assert found == pytest.approx(
            {'p_p50_ms': 1.0, 'p_p99_ms': 1.0, 'p_p999_ms': 9.0, 'p_max_ms': 9.0}
        )


def test_a_summary_may_be_asked_for_while_the_loop_adds():
    durations, stop = Durations(kept=64), threading.Event()

    def add():
        while not stop.is_set():
            durations.add(2e-3)

    adder = threading.Thread(target=add)
    adder.start()
    try:
        while not durations.count:
            time.sleep(0)
        for _ in range(300):
            assert durations.summary_ms('x')['x_max_ms'] == pytest.approx(2.0)
    finally:
        stop.set()
        adder.join()


def test_a_rate_counts_what_is_in_its_window():
    rate = Rate(window_s=1.0)
    for step in range(21):
        rate.tick(step * 0.1)
    assert rate.hz(2.0) == pytest.approx(10.0)
    assert rate.hz(9.0) == 0.0
    assert rate.count == 21


def test_a_ticker_never_wakes_before_its_deadline_and_keeps_no_drift():
    ticker, stop = Ticker(0.002), threading.Event()
    ticker.wait(stop)
    start_s = time.monotonic()
    for _ in range(50):
        assert ticker.wait(stop)
    periods = 50 + ticker.overruns  # those that a busy machine made it skip
    assert time.monotonic() - start_s >= periods * 0.002 - 0.002


def test_a_missed_deadline_is_counted_and_not_made_up_for():
    ticker, stop = Ticker(0.01), threading.Event()
    ticker.wait(stop)
    before = ticker.overruns
    time.sleep(0.035)
    assert ticker.slack_s() < 0.0
    ticker.wait(stop)
    assert ticker.overruns >= before + 2
    assert ticker.slack_s() <= ticker.period_s


def test_slack_is_what_is_left_of_the_period():
    ticker, stop = Ticker(5.0), threading.Event()
    stop.set()
    assert not ticker.wait(stop)  # returns at once: the deadline is 5 s ahead
    first_s = ticker.slack_s()
    time.sleep(0.01)
    assert ticker.slack_s() <= first_s - 0.01
    assert 0.0 < first_s <= 10.0


def test_a_stopped_ticker_does_not_sleep():
    ticker, stop = Ticker(60.0), threading.Event()
    stop.set()
    start_s = time.monotonic()
    assert not ticker.wait(stop)
    assert time.monotonic() - start_s < 30.0
