"""The campaign: hostile commands, bus faults, stops and restarts in virtual time, any order.

docs/campaign.md says what it does and how to replay a failure.
"""

import os
from pathlib import Path

import pytest
from campaign.machine import Campaign
from campaign.tally import Tally
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

_NIGHTLY_STEPS = int(os.environ.get('CHEFMATE_CAMPAIGN_STEPS', '10000'))
# A smaller failing case costs minutes: only where it is asked for.
_SHRINK = (Phase.shrink,) if os.environ.get('CHEFMATE_CAMPAIGN_SHRINK') else ()
_SHORT = settings(
    max_examples=7,
    stateful_step_count=40,
    derandomize=True,
    deadline=None,
    database=None,
    print_blob=True,
    phases=(Phase.explicit, Phase.generate, *_SHRINK),
    suppress_health_check=list(HealthCheck),
)
_NIGHTLY = settings(_SHORT, max_examples=20, stateful_step_count=60, derandomize=False)


@pytest.fixture
def tally(monkeypatch):
    tally = Tally()
    monkeypatch.setattr(Campaign, 'tally', tally)
    return tally


@pytest.mark.timeout(600)
def test_whatever_happens_the_servos_are_told_nothing_wrong_and_the_driver_recovers(tally):
    run_state_machine_as_test(Campaign, settings=_SHORT)
    assert_something_happened(tally)


@pytest.mark.nightly
@pytest.mark.timeout(0)
def test_the_same_for_ten_thousand_steps(tally, capsys):
    while tally.counts['steps'] < _NIGHTLY_STEPS:
        run_state_machine_as_test(Campaign, settings=_NIGHTLY)
        with capsys.disabled():
            print(f'\r{tally.counts["steps"]} of {_NIGHTLY_STEPS} steps', end='', flush=True)
    with capsys.disabled():
        print(f'\n{tally.table()}')
    if report := os.environ.get('CHEFMATE_CAMPAIGN_REPORT'):
        Path(report).write_text(tally.json() + '\n', encoding='utf-8')
    assert_something_happened(tally)


def assert_something_happened(tally):
    """A campaign in which the arm stood still would prove nothing."""
    assert tally.counts['violations'] == 0
    assert tally.counts['goals_driven'] > 10_000
    assert tally.max_velocity_share > 0.9
    assert tally.max_acceleration_share > 0.9
    assert sum(tally.faults.values()) > 100
    assert tally.recoveries
