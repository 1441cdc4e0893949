"""Who ends the task of a policy that never says that it is done."""

from chefmate.task.judging import ACHIEVED_S, Judging
from chefmate.task.report import HealthBoard, TaskSummary, build_report


def heard(*verdicts):
    judging = Judging(has_judge=True)
    for now_s, achieved in verdicts:
        judging.hear(achieved, 'achieved' if achieved else 'not yet', {}, now_s)
    return judging


def success_of(judging, outcome, says_done):
    outcome, reason = judging.outcome(outcome, 'some reason', says_done)
    summary = TaskSummary('cook', 'groot', 'sim', 0, outcome, reason, 1.0, 2.0, 3)
    report = build_report(summary, HealthBoard(), judging.verdict)
    return report['success'], report['outcome'], report['reason']


def test_what_stays_achieved_ends_the_task_once_and_it_has_succeeded():
    judging = heard((10.0, False), (10.2, True), (10.2 + 0.9 * ACHIEVED_S, True))
    assert not judging.ends_task(says_done=False)
    judging.hear(True, 'achieved', {}, 10.2 + 1.1 * ACHIEVED_S)
    assert judging.ends_task(says_done=False)
    assert not judging.ends_task(says_done=False), 'once'
    assert success_of(judging, 'CANCELED', False) == (
        True,
        'SUCCEEDED',
        'the judge saw it done',
    )


def test_what_does_not_stay_achieved_ends_nothing():
    judging = heard((10.0, True), (10.5, False), (10.6, True), (10.0 + 1.1 * ACHIEVED_S, True))
    assert not judging.ends_task(says_done=False)


def test_a_policy_that_says_when_it_is_done_is_left_to_say_so():
    judging = heard((10.0, True), (20.0, True))
    assert not judging.ends_task(says_done=True)
    assert success_of(judging, 'SUCCEEDED', True)[0]
    assert success_of(judging, 'TIMED_OUT', True)[:2] == (False, 'TIMED_OUT')


def test_at_the_end_of_the_time_it_counts_what_the_judge_sees():
    assert success_of(heard((10.0, True)), 'TIMED_OUT', False)[0]
    assert success_of(heard((10.0, False)), 'TIMED_OUT', False) == (
        False,
        'TIMED_OUT',
        'some reason',
    )


def test_a_person_who_cancels_has_not_succeeded():
    assert success_of(heard((10.0, True)), 'CANCELED', False)[:2] == (False, 'CANCELED')


def test_a_judge_who_said_nothing_is_no_success():
    success, _, reason = success_of(Judging(has_judge=True), 'SUCCEEDED', True)
    assert (success, reason) == (False, 'the judge said nothing')


def test_without_a_judge_the_policys_word_counts_and_nobody_ends_the_task():
    judging = Judging(has_judge=False)
    judging.hear(True, 'achieved', {}, 1.0)
    judging.hear(True, 'achieved', {}, 100.0)
    assert not judging.ends_task(says_done=False)
    assert success_of(judging, 'SUCCEEDED', True)[0]
    assert success_of(judging, 'TIMED_OUT', False)[:2] == (False, 'TIMED_OUT')


def test_one_glance_before_the_judge_fell_silent_ends_nothing():
    judging = heard((10.0, False), (10.2, True))
    assert not judging.ends_task(says_done=False)
