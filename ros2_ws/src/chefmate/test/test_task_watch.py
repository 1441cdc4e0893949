"""When a task counts as lost: by the policy's own word, or after a long silence."""

import numpy as np
import pytest

from chefmate.task.task_watch import IDLE_S, SILENT_S, TaskWatch


def watched(watch, start_s, end_s, period_s=0.2):
    """Let time pass; return why the task is lost at its end."""
    why = ''
    for now_s in np.arange(start_s, end_s, period_s):
        why = watch.why_lost(float(now_s))
    return why


def test_a_policy_that_says_for_long_that_it_is_idle_has_lost_the_task():
    watch = TaskWatch()
    watch.heard(True, 10.0)
    for now_s in (11.0, 12.0, 13.0):
        watch.heard(False, now_s)
        assert watch.why_lost(now_s) == ''
    watch.heard(False, 11.0 + IDLE_S)
    assert watch.why_lost(11.0 + IDLE_S) == 'the policy died or lost the task'


def test_one_word_of_idleness_before_the_task_begins_is_not_the_end():
    watch = TaskWatch()
    watch.heard(False, 10.0)
    assert watched(watch, 10.0, 10.0 + 3 * IDLE_S) == ''
    watch.heard(True, 20.0)
    watch.heard(False, 21.0)
    assert watch.why_lost(21.0) == ''


def test_a_policy_that_stands_still_for_a_while_still_has_the_task():
    watch = TaskWatch()
    watch.heard(True, 10.0)
    assert watched(watch, 10.0, 10.0 + 0.9 * SILENT_S) == ''
    watch.heard(True, 10.0 + 0.9 * SILENT_S)
    assert watched(watch, 10.0 + 0.9 * SILENT_S, 10.0 + 1.5 * SILENT_S) == ''


def test_a_policy_that_never_says_anything_again_has_not():
    watch = TaskWatch()
    watch.heard(True, 10.0)
    assert f'nothing for {SILENT_S:g} s' in watched(watch, 10.0, 11.0 + SILENT_S)


@pytest.mark.parametrize('stood_s', [5.0, 10 * SILENT_S])
def test_a_listener_that_stood_still_itself_does_not_blame_the_policy(stood_s):
    watch = TaskWatch()
    watch.heard(True, 10.0)
    assert watch.why_lost(10.0) == ''
    assert watch.why_lost(10.0 + stood_s) == '', 'its timer came before the words that queued up'
