import numpy as np
import pytest

from chefmate_core.errors import ConfigurationError, PolicyError
from chefmate_core.policy.protocol import ActionChunk
from chefmate_core.policy.registry import load_policy


def test_an_unknown_policy_is_refused_with_the_list_of_those_installed():
    with pytest.raises(ConfigurationError, match='installed policies'):
        load_policy('gpt')


@pytest.mark.parametrize(
    ('positions', 'period_s'),
    [
        (np.full((16, 6), np.nan), 0.03),
        (np.zeros((0, 6)), 0.03),
        (np.zeros((16, 5)), 0.03),
        (np.zeros((16, 6)), float('nan')),
    ],
)
def test_a_chunk_that_no_arm_can_play_cannot_be_made(positions, period_s):
    with pytest.raises(PolicyError):
        ActionChunk(0.0, positions, period_s)
