"""The garbage keeper: what it collects, and when it leaves a collection for later."""

import gc
import math
import weakref

import pytest

from chefmate_core.garbage import GENERATIONS, GarbageKeeper


class Node:
    """Something that only the collector frees, once it refers to itself."""

    def __init__(self):
        self.itself = self


class Clock:
    """A clock that a test moves; each reading takes `step_s`."""

    def __init__(self, step_s=0.0):
        self.now_s, self.step_s = 0.0, step_s

    def __call__(self):
        self.now_s += self.step_s
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def cost():
    return Clock(1e-5)


@pytest.fixture
def keeper(clock, cost):
    was_enabled = gc.isenabled()
    keeper = GarbageKeeper(clock, cost)
    keeper.take_over()
    yield keeper
    keeper.hand_back()
    assert gc.isenabled() is was_enabled
    assert gc.get_freeze_count() == 0


def litter(count=800):
    """Make that many objects that only the collector can free; return one of them, weakly."""
    first, *_ = [Node() for _ in range(count)]
    return weakref.ref(first)


def test_while_the_keeper_is_in_charge_nothing_is_collected_by_itself(keeper):
    assert not gc.isenabled()
    remains = litter(5000)
    assert remains() is not None


def test_what_was_there_before_is_set_aside(keeper):
    assert gc.get_freeze_count() > 1000


def test_a_cycle_with_time_collects_what_the_young_left(keeper):
    remains = litter()
    keeper.tidy(slack_s=0.005)
    assert remains() is None
    assert keeper.collections == [1, 0, 0]


def test_a_cycle_without_time_leaves_it_for_later(keeper):
    remains = litter()
    assert keeper.tidy(slack_s=0.0) == 0.0
    assert keeper.tidy(slack_s=-0.002) == 0.0
    assert remains() is not None
    assert keeper.collections == [0, 0, 0]
    assert keeper.postponed == 2
    keeper.tidy(slack_s=0.005)
    assert remains() is None


def test_few_young_objects_are_not_worth_a_collection(keeper):
    litter(10)
    assert keeper.tidy(slack_s=1.0) == 0.0
    assert keeper.collections == [0, 0, 0]


def test_a_collection_that_took_long_is_given_more_room(keeper, cost):
    cost.step_s = 0.004
    litter()
    keeper.tidy(slack_s=0.005)  # learns that it costs 4 ms
    litter()
    assert keeper.tidy(slack_s=0.005) == 0.0
    litter()
    keeper.tidy(slack_s=0.02)
    assert keeper.collections[0] == 2


def test_without_ever_having_time_it_does_not_grow_without_end(keeper):
    remains = litter(60_000)
    keeper.tidy(slack_s=0.0)
    assert remains() is None
    assert keeper.forced == 1


def test_elder_generations_have_their_turn(keeper, clock):
    for _ in range(200):
        litter()
        keeper.tidy(slack_s=1.0)
    assert keeper.collections[0] > 100
    assert keeper.collections[1] > 10
    assert keeper.collections[2] == 0  # none is due before its minute is over
    clock.now_s += 61.0
    litter()
    keeper.tidy(slack_s=1.0)
    assert keeper.collections[2] == 1


def test_a_full_collection_that_does_not_fit_waits_until_a_stall_does_no_harm(clock, cost):
    cost.step_s = 0.012
    keeper = GarbageKeeper(clock, cost)
    keeper.take_over()  # measures 12 ms
    try:
        cost.step_s = 1e-5
        for _ in range(40):
            litter()
            keeper.tidy(slack_s=0.008)
        clock.now_s += 61.0
        litter()
        keeper.tidy(slack_s=0.008)
        assert keeper.collections[2] == 0
        litter()
        keeper.tidy(slack_s=math.inf)
        assert keeper.collections[2] == 1
    finally:
        keeper.hand_back()


def test_the_statistics_are_flat_numbers(keeper):
    litter()
    keeper.tidy(slack_s=1.0)
    statistics = keeper.statistics()
    assert statistics['gc_0_collections'] == 1
    assert {f'gc_{generation}_max_ms' for generation in range(GENERATIONS)} <= set(statistics)
    assert all(value >= 0 for value in statistics.values())


def test_handed_back_it_leaves_the_collector_alone(keeper):
    keeper.hand_back()
    assert keeper.tidy(slack_s=1.0) == 0.0
    assert gc.isenabled()


def test_a_program_that_had_switched_collection_off_gets_it_back_off():
    gc.disable()
    try:
        keeper = GarbageKeeper()
        keeper.take_over()
        keeper.hand_back()
        assert not gc.isenabled()
    finally:
        gc.enable()
