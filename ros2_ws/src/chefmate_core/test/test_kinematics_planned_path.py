import numpy as np
import pytest

from chefmate_core.errors import ConfigurationError
from chefmate_core.kinematics import Chain
from chefmate_core.kinematics.planned_path import GRACE_S, LATE_RGBA, SOON_RGBA, planned_path

ONE_JOINT = """<robot name="one"><link name="base"/><link name="arm"/><link name="tip"/>
  <joint name="turn" type="continuous"><parent link="base"/><child link="arm"/>
    <axis xyz="0 0 1"/></joint>
  <joint name="end" type="fixed"><parent link="arm"/><child link="tip"/>
    <origin xyz="0.5 0 0"/></joint></robot>"""


@pytest.fixture
def chain():
    return Chain.from_urdf(ONE_JOINT, ('turn',))


def test_a_turning_arm_draws_an_arc_whose_colour_tells_the_time(chain):
    angles_rad = np.linspace(0.0, np.pi / 2, 16)
    path = planned_path(chain, angles_rad[:, np.newaxis], 1 / 30, 'tip')
    expected = 0.5 * np.column_stack([np.cos(angles_rad), np.sin(angles_rad), np.zeros(16)])
    np.testing.assert_allclose(path.points_m, expected, atol=1e-12)
    np.testing.assert_allclose(path.colours_rgba[0], SOON_RGBA)
    np.testing.assert_allclose(path.colours_rgba[-1], LATE_RGBA)
    fading = np.diff(path.colours_rgba[:, 3])
    assert np.all(fading < 0)


def test_a_path_is_shown_as_long_as_it_is_a_plan(chain):
    assert planned_path(chain, np.zeros((16, 1)), 0.1, 'tip').shown_s == pytest.approx(
        1.6 + GRACE_S
    )


def test_a_single_goal_is_a_path_of_one_point(chain):
    path = planned_path(chain, np.zeros((1, 1)), 0.1, 'tip')
    np.testing.assert_allclose(path.points_m, [[0.5, 0.0, 0.0]])
    np.testing.assert_allclose(path.colours_rgba, [SOON_RGBA])


@pytest.mark.parametrize('goals', [np.empty((0, 1)), [[0.0], [np.nan]], [[np.inf]]])
def test_goals_that_are_none_draw_nothing(chain, goals):
    with pytest.raises(ConfigurationError, match='without goals, or with goals that are not'):
        planned_path(chain, np.array(goals), 0.1, 'tip')
