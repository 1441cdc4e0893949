"""Who ends the task of a policy that never says that it is done."""

from chefmate.task.judging import ACHIEVED_S, Judging
from chefmate.task.report import HealthBoard, TaskSummary, build_report

PERIOD_S = 0.25  # between two verdicts


def hear(judging, *verdicts, start_s=10.0):
    for index, achieved in enumerate(verdicts):
        text = 'achieved' if achieved else 'not yet'
        judging.hear(achieved, text, {}, start_s + index * PERIOD_S)
    return judging


def heard(*verdicts):
    return hear(Judging(has_judge=True), *verdicts)


LONG = [True] * round(ACHIEVED_S / PERIOD_S + 1)


def success_of(judging, outcome, says_done):
    outcome, reason = judging.outcome(outcome, 'some reason', says_done)
    summary = TaskSummary('cook', 'groot', 'sim', 0, outcome, reason, 1.0, 2.0, 3)
    report = build_report(summary, HealthBoard(), judging.verdict)
    return report['success'], report['outcome'], report['reason']


def test_what_stays_achieved_ends_the_task_once_and_it_has_succeeded():
    assert not heard(False, *LONG[:-1]).ends_task(says_done=False)
    judging = heard(False, *LONG)
    assert judging.ends_task(says_done=False)
    assert not judging.ends_task(says_done=False), 'once'
    assert success_of(judging, 'CANCELED', False) == (
        True,
        'SUCCEEDED',
        'the judge saw it done',
    )


def test_what_does_not_stay_achieved_ends_nothing():
    judging = heard(*LONG[:-1], False, *LONG[:-1])
    assert not judging.ends_task(says_done=False)


def test_a_policy_that_says_when_it_is_done_is_left_to_say_so():
    judging = heard(*LONG)
    assert not judging.ends_task(says_done=True)
    assert success_of(judging, 'SUCCEEDED', True)[0]
    assert success_of(judging, 'TIMED_OUT', True)[:2] == (False, 'TIMED_OUT')


def test_at_the_end_of_the_time_it_counts_what_the_judge_sees():
    assert success_of(heard(True), 'TIMED_OUT', False)[0]
    assert success_of(heard(False), 'TIMED_OUT', False) == (
        False,
        'TIMED_OUT',
        'some reason',
    )


def test_a_person_who_cancels_has_not_succeeded():
    assert success_of(heard(True), 'CANCELED', False)[:2] == (False, 'CANCELED')


def test_a_judge_who_said_nothing_is_no_success():
    success, _, reason = success_of(Judging(has_judge=True), 'SUCCEEDED', True)
    assert (success, reason) == (False, 'the judge said nothing')


def test_without_a_judge_the_policys_word_counts_and_nobody_ends_the_task():
    judging = hear(Judging(has_judge=False), *LONG)
    assert not judging.ends_task(says_done=False)
    assert success_of(judging, 'SUCCEEDED', True)[0]
    assert success_of(judging, 'TIMED_OUT', False)[:2] == (False, 'TIMED_OUT')


def test_one_glance_before_the_judge_fell_silent_ends_nothing():
    judging = heard(False, True)
    assert not judging.ends_task(says_done=False)


def test_two_glances_before_and_after_the_kitchen_stood_still_end_nothing():
    judging = heard(False, True)
    hear(judging, True, start_s=60.0)
    assert not judging.ends_task(says_done=False)
    hear(judging, *LONG, start_s=60.25)
    assert judging.ends_task(says_done=False)
