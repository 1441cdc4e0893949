"""What the page says of the emergency stop, and how long it asks for it; without ROS."""

import heapq
import random
import re

import pytest

from chefmate.viewer.emergency_stop import BEFORE_ARM_S, EmergencyStop
from chefmate.viewer.stop_bar import HEAD_HTML

NOW_S = 100.0


@pytest.fixture
def asked():
    return []


@pytest.fixture
def stop(asked):
    return EmergencyStop(asked.append)


def look(stop, after_s=0.0, offered=True, speaks=True):
    return stop.look(offered, speaks, NOW_S + after_s)


def test_a_press_is_asked_for_until_the_arm_has_stopped(stop, asked):
    stop.heard(False)
    stop.press(NOW_S)
    assert asked == [True]
    assert look(stop, 0.5) == 'stopping' and look(stop, 2.0) == 'unanswered'
    assert asked == [True] * 3
    stop.heard(True)
    assert look(stop, 2.1) == 'stopped'
    stop.heard(False)  # released
    assert look(stop, 2.2) == 'free'
    assert asked == [True] * 3


def test_a_press_outlives_an_arm_that_is_lost_and_comes_back(stop, asked):
    stop.heard(False)
    assert look(stop) == 'free'
    stop.press(NOW_S)
    stop.heard(None)
    for after_s in (20.0, 400.0):
        assert look(stop, after_s, offered=False, speaks=False) == 'unanswered'
    assert len(asked) == 1  # nobody could be asked
    stop.heard(False)
    assert look(stop, 400.5) == 'unanswered'
    assert len(asked) == 2


def test_a_press_in_the_moment_in_which_the_arm_starts_stops_it(stop, asked):
    assert look(stop, offered=False) == 'absent'
    stop.press(NOW_S)
    look(stop, 1.0)
    assert asked == [True, True]


def test_a_flood_of_presses_asks_the_driver_ten_times_a_second(stop, asked):
    for number in range(1000):
        stop.press(NOW_S + number * 1e-3)
    assert len(asked) == 10
    stop.heard(True)
    stop.heard(False)  # released: the next press is the first of its kind
    stop.press(NOW_S + 1.0)
    assert len(asked) == 11


def test_a_press_long_before_an_arm_starts_does_not_stop_it(stop, asked):
    look(stop, offered=False)
    stop.press(NOW_S)
    assert look(stop, BEFORE_ARM_S + 1.0, offered=False) == 'absent'
    assert look(stop, 300.0) == 'unknown'
    assert asked == [True]


def test_an_arm_that_ended_in_order_is_absent_and_one_that_was_lost_has_gone(stop):
    look(stop)
    assert look(stop, offered=False) == 'absent'
    assert look(stop) == 'unknown'
    assert look(stop, offered=False, speaks=False) == 'gone'
    assert look(stop, offered=False) == 'gone'


def test_a_silent_arm_is_neither_free_nor_standing_still(stop):
    stop.heard(False)
    assert look(stop, speaks=False) == 'silent'
    stop.heard(True)
    assert look(stop, speaks=False) == 'latched'


def test_a_release_is_for_the_stop_that_was_asked_about(stop, asked):
    stop.heard(True)
    question = stop.latch
    stop.heard(False)
    stop.press(NOW_S)
    stop.heard(True)
    assert not stop.release(question)
    assert asked == [True]
    question = stop.latch
    stop.press(NOW_S + 1.0)  # again, though it is stopped
    assert not stop.release(question)
    assert stop.release(stop.latch)
    assert asked == [True, True, False]
    stop.heard(False)
    assert look(stop) == 'free'


def test_a_press_of_a_stopped_arm_does_not_stop_it_after_a_later_release(stop, asked):
    stop.heard(True)
    stop.press(NOW_S)
    assert look(stop, 1.0) == 'stopped'
    stop.heard(False)
    assert look(stop, 1.5) == 'free'
    assert asked == [True]


def test_a_second_tap_is_not_answered_by_what_answers_the_first(stop, asked):
    stop.press(NOW_S)
    stop.press(NOW_S + 0.08)  # too soon to be asked; somebody released meanwhile
    stop.heard(True)
    stop.heard(False)
    look(stop, 0.1)
    assert asked == [True, True]


def test_whatever_the_delays_the_last_press_is_the_last_word():
    for seed in range(300):
        assert last_word(seed), f'seed {seed}'


def last_word(seed):
    """Return what a driver hears last; requests and answers are under way for up to 0.3 s."""
    draw = random.Random(seed)
    there_s, back_s = draw.uniform(0.0, 0.3), draw.uniform(0.0, 0.3)
    events = [(draw.uniform(0.0, 0.3), 'press') for _ in range(draw.randint(1, 6))]
    last_press_s = max(events)[0]
    events += [(draw.uniform(0.0, last_press_s), 'release') for _ in range(draw.randint(0, 4))]
    events += [(0.5 * number, 'look') for number in range(8)]
    queue = [(when_s, index, what) for index, (when_s, what) in enumerate(events)]
    driver = []
    clock = [0.0]

    def send(what, delay_s):
        heapq.heappush(queue, (clock[0] + delay_s, len(queue) + 1000 * len(driver), what))

    stop = EmergencyStop(lambda wanted: send(('asked', wanted), there_s))
    heapq.heapify(queue)
    while queue:
        clock[0], _, what = heapq.heappop(queue)
        now_s = NOW_S + clock[0]
        if what == 'press':
            stop.press(now_s)
        elif what == 'look':
            stop.look(True, True, now_s)
        elif what == 'release' or what[0] == 'asked':
            driver.append(what != 'release' and what[1])
            send(('heard', driver[-1]), back_s)
        else:
            stop.heard(what[1])
            stop.look(True, True, now_s)
    return driver[-1]


def test_the_bar_has_words_for_all_that_it_may_be_told():
    texts = HEAD_HTML.partition('const texts = {')[2].partition('};')[0]
    known = set(re.findall(r'^ +([a-z]+): ', texts, re.MULTILINE))
    told = re.search(r'Returns:(.*)', EmergencyStop.look.__doc__, re.DOTALL)[1]
    words = set(re.findall(r'[a-z]+', re.sub(r'\(.*?\)', '', told)))
    assert len(words) == 9 and words <= known
