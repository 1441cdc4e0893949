"""What is told of a policy's times, and what is committed by them."""

import time

import numpy as np
import pytest
from policies import JOINTS, Cook, observed

from chefmate_core.motion.committed import CommittedMotion
from chefmate_core.policy.observations import ObservationBuffer
from chefmate_core.policy.protocol import PERIOD_S, ActionChunk
from chefmate_core.policy.statistics import PolicyStatistics
from chefmate_core.policy.task_runner import TaskRunner


def test_the_times_of_every_part_and_the_figures_of_the_newest_chunk_are_told():
    statistics = PolicyStatistics()
    for part_s in (0.01, 0.03):
        statistics.add(
            ActionChunk(
                0.0, np.zeros((16, 6)), timings_s={'vision': part_s}, figures={'spread': part_s}
            ),
            0.05,
        )
    values = statistics.values()
    assert values['part_vision_p50_ms'] == pytest.approx(20.0)
    assert values['part_vision_p99_ms'] == pytest.approx(30.0, abs=0.5)
    assert values['chunk_spread'] == 0.03
    assert statistics.expected_inference_s() == pytest.approx(0.05)


def test_a_server_that_names_ever_new_parts_fills_no_memory():
    statistics = PolicyStatistics()
    for index in range(100):
        statistics.add(ActionChunk(0.0, np.zeros((1, 6)), timings_s={f'p{index}': 0.1}), 0.1)
    assert sum(name.startswith('part_') for name in statistics.values()) <= 2 * 24


def test_a_policy_is_told_what_is_played_until_its_answer_comes():
    now_s = time.time()
    committed = CommittedMotion()
    rows = np.outer(np.arange(18), np.ones(6))
    committed.add(now_s - 0.09, rows, PERIOD_S)
    buffer = ObservationBuffer([], max_age_s=10.0)
    buffer.add_joints(now_s - 0.09, *JOINTS)  # old when the answer comes: three rows
    policy = Cook(chunks=1)
    TaskRunner(
        policy,
        buffer,
        lambda chunk: None,
        lambda progress: None,
        wall_clock=lambda: now_s,
        committed=committed,
    ).run('cook')
    assert policy.observations[0].committed_rad == pytest.approx(rows[:3], abs=1e-3)


@pytest.mark.parametrize(('slow_s', 'expected'), [(0.1, 3), (0.2, 6), (5.0, 8)])
def test_the_slower_the_policy_the_more_rows_are_committed_up_to_half_a_chunk(slow_s, expected):
    committed = CommittedMotion()
    committed.add(1000.0, np.zeros((18, 6)), PERIOD_S)
    buffer = ObservationBuffer([], max_age_s=10.0)
    buffer.add_joints(1000.05, *JOINTS)
    policy = Cook(chunks=1)
    runner = TaskRunner(
        policy,
        buffer,
        lambda chunk: None,
        lambda progress: None,
        wall_clock=lambda: 1000.05,
        committed=committed,
    )
    runner.statistics.add(ActionChunk(0.0, np.zeros((16, 6))), slow_s - 1e-6)
    runner.run('cook')
    assert len(policy.observations[0].committed_rad) == expected


def test_while_nothing_is_played_the_policy_is_told_of_nothing():
    policy = Cook(chunks=1)
    TaskRunner(policy, observed(), lambda chunk: None, lambda progress: None).run('cook')
    assert policy.observations[0].committed_rad is None
