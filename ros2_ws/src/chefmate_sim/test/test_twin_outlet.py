import itertools
import math

import numpy as np
import pytest

from chefmate_core.errors import ConfigurationError
from chefmate_sim.twin.outlet import Outlet, OutletConfig, TwinMessage


def sent(config, count=200, period_s=0.02):
    """Put `count` states in, one each period; return what left as (time, stamp)."""
    outlet, left = Outlet(config), []
    for index in range(count + round(config.lag_s / period_s) + 3):
        now_s = index * period_s
        if index < count:
            outlet.put(TwinMessage(now_s, np.zeros(6), np.zeros(6)), now_s)
        left += [(now_s, message.stamp_s) for message in outlet.due(now_s)]
    return left


def test_without_faults_every_state_leaves_at_once_and_in_order():
    assert sent(OutletConfig()) == [(index * 0.02, index * 0.02) for index in range(200)]


def test_states_leave_as_late_as_asked_for_with_their_own_stamps():
    left = sent(OutletConfig(lag_s=2.0))
    assert len(left) == 200
    assert [now_s - stamp_s for now_s, stamp_s in left] == pytest.approx([2.0] * 200, abs=0.021)


def test_the_part_that_is_to_be_lost_is_lost():
    assert 60 < len(sent(OutletConfig(drop_fraction=0.5))) < 140
    assert sent(OutletConfig(drop_fraction=1.0)) == []


def test_a_swapped_state_leaves_after_the_next_and_nothing_is_lost():
    stamps = [stamp_s for _, stamp_s in sent(OutletConfig(swap_fraction=0.5))]
    assert len(set(stamps)) >= 199
    backwards = [later - before for before, later in itertools.pairwise(stamps)
                 if later < before]  # fmt: skip
    assert len(backwards) > 30
    assert backwards == pytest.approx([-0.02] * len(backwards))


@pytest.mark.parametrize(
    'wrong', [{'lag_s': -1.0}, {'lag_s': math.nan}, {'drop_fraction': 1.5}, {'swap_fraction': -1}]
)
def test_faults_that_cannot_be_are_refused(wrong):
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        OutletConfig(**wrong)
