"""The picture: shapes are closed, the arm stands as kinematics says, things where they are."""

import numpy as np
import pytest

from chefmate.viewer.scene.arm_model import read_arm_model
from chefmate.viewer.scene.kitchen_meshes import table, things
from chefmate.viewer.scene.shapes import box, circle, joined, prism, rounded_square
from chefmate_core.geometry import Pose, rotation_matrix
from chefmate_core.joints import JOINT_NAMES, LOWER_LIMITS_RAD, UPPER_LIMITS_RAD
from chefmate_core.kinematics import GRIPPER_LINK, Chain
from chefmate_core.kinematics.planned_path import planned_path
from chefmate_description.scene import KITCHEN
from chefmate_description.shapes import OrientedBox

viser = pytest.importorskip('viser')
from chefmate.viewer.gateway import private_host  # noqa: E402
from chefmate.viewer.scene.scene import Scene  # noqa: E402

HERE = Pose(np.array([0.2, 0.1, 0.05]), np.array([1.0, 0.0, 0.0, 0.0]))


@pytest.fixture(scope='module')
def model():
    return read_arm_model()


@pytest.fixture
def server():
    server = viser.ViserServer(host=private_host(), port=0, verbose=False)
    yield server
    server.stop()


def volume_m3(mesh):
    """Return what the faces enclose; negative if they look inwards."""
    a, b, c = (mesh.vertices_m[mesh.faces[:, corner]] for corner in range(3))
    return float(np.einsum('ij,ij->', a, np.cross(b, c)) / 6.0)


@pytest.mark.parametrize(
    ('mesh', 'expected_m3'),
    [
        (prism(rounded_square(0.08, 0.0), 0.01), 0.08**2 * 0.01),
        (prism(circle(0.04, 400), 0.01), np.pi * 0.04**2 * 0.01),
        (box(OrientedBox((1.0, 2.0, 3.0), (0.1, 0.2, 0.3), 0.4, 0.5)), 0.1 * 0.2 * 0.3),
        (joined([prism(circle(0.04, 400), 0.01)] * 2), 2 * np.pi * 0.04**2 * 0.01),
    ],
)
def test_a_shape_encloses_its_volume_and_looks_outwards(mesh, expected_m3):
    assert volume_m3(mesh) == pytest.approx(expected_m3, rel=1e-3)


def test_every_thing_of_the_kitchen_is_drawn_in_its_size():
    drawn = things()
    assert set(drawn) == {'tray', 'plate', *(food.name for food in KITCHEN.slices)}
    for food in KITCHEN.slices:
        vertices = np.concatenate([mesh.vertices_m for mesh, _ in drawn[food.name]])
        assert np.ptp(vertices[:, 0]) == pytest.approx(food.width_m, rel=0.01)
        assert np.ptp(vertices[:, 2]) == pytest.approx(food.thickness_m, abs=0.001)
    top = max(mesh.vertices_m[:, 2].max() for mesh, _ in table())
    assert -0.002 < top < 0.0  # just under what stands on it


def test_the_drawn_arm_stands_where_kinematics_says(server, model):
    chain = Chain(model.tree)
    scene = Scene(server.scene, model)
    rng = np.random.default_rng(6)
    for _ in range(5):
        position_rad = rng.uniform(LOWER_LIMITS_RAD, UPPER_LIMITS_RAD)
        scene.arm.move(position_rad)
        expected = chain.pose(position_rad, GRIPPER_LINK)
        drawn = T_root_link(server, model, '/arm', GRIPPER_LINK)
        assert np.abs(drawn - expected).max() < 1e-6
    assert server.scene.get_handle_by_name('/arm').visible


def T_root_link(server, model, root, link):
    """Return the pose that a browser makes of the frames it was sent."""
    path = [link]
    while path[0] != model.tree.root:
        path.insert(0, model.tree.joint_of_link[path[0]].parent)
    T, name = np.eye(4), root
    for part in path:
        name = f'{name}/{part}'
        frame = server.scene.get_handle_by_name(name)
        step = np.eye(4)
        step[:3, :3], step[:3, 3] = rotation_matrix(frame.wxyz), frame.position
        T = T @ step
    return T


def test_nothing_but_the_table_is_shown_before_anything_is_known(server, model):
    Scene(server.scene, model)
    for name in ('/arm', '/twin', '/plate', '/patty', '/path', '/path_end'):
        assert not server.scene.get_handle_by_name(name).visible


def test_things_appear_where_they_are_and_go_when_nobody_knows_any_more(server, model):
    scene = Scene(server.scene, model)
    scene.place({'plate': HERE, 'spoon': HERE})  # a kitchen may hold what we cannot draw
    plate = server.scene.get_handle_by_name('/plate')
    assert plate.visible and np.allclose(plate.position, HERE.position_m)
    assert not server.scene.get_handle_by_name('/tray').visible
    scene.clear()
    assert not plate.visible
    scene.place({'plate': HERE})
    assert plate.visible


def test_a_still_arm_costs_no_messages(server, model):
    scene = Scene(server.scene, model)
    position_rad = np.full(len(JOINT_NAMES), 0.3)
    scene.arm.move(position_rad)
    before = server.scene.get_handle_by_name('/arm/base_link/shoulder_link').wxyz
    scene.arm.move(position_rad + 1e-6)
    assert np.array_equal(
        server.scene.get_handle_by_name('/arm/base_link/shoulder_link').wxyz, before
    )


def test_the_ghost_shows_where_the_twin_is_elsewhere_and_does_not_flicker(server, model):
    scene, arm_rad = Scene(server.scene, model), np.zeros(6)
    ghost = server.scene.get_handle_by_name('/twin')
    for off_rad, shown in (
        (0.0, False),
        (0.025, False),
        (0.05, True),
        (0.025, True),
        (0.01, False),
    ):
        scene.show_twin(np.array([0, 0, off_rad, 0, 0, 0]), arm_rad)
        assert ghost.visible is shown
    scene.show_twin(arm_rad, None)
    assert ghost.visible
    scene.show_twin(None, arm_rad)
    assert not ghost.visible


def test_a_plan_is_a_line_that_ends_where_the_gripper_will_be(server, model):
    scene = Scene(server.scene, model)
    chain = Chain(model.tree)
    goals = np.linspace(np.zeros(6), np.full(6, 0.4), 16)
    scene.show_path(planned_path(chain, goals, 1 / 30))
    line, ball = (server.scene.get_handle_by_name(name) for name in ('/path', '/path_end'))
    assert line.visible and line.points.shape == (15, 2, 3)
    assert np.allclose(ball.position, chain.pose(goals[-1])[:3, 3])
    scene.show_path(planned_path(chain, goals[:1], 1 / 30))
    assert ball.visible and not line.visible
    scene.show_path(None)
    assert not ball.visible
