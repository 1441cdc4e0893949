import numpy as np
import pytest

from chefmate_core.errors import ConfigurationError
from chefmate_core.geometry import Pose
from chefmate_description.scene import CAMERAS, HOME_POSITION_RAD, SLICE_NAMES
from chefmate_sim.kitchen import gl_backend
from chefmate_sim.kitchen.renderer import KitchenRenderer
from chefmate_sim.kitchen.world import KitchenWorld

SEED = 4
# The jaw open below the near row, as before a pick: the wrist camera sees jaw and food.
LOOKING_POSITION_RAD = (0.45, -0.9, 1.2, 0.6, 0.0, 0.35)


@pytest.fixture(scope='module')
def state():
    return KitchenWorld(SEED).render_state()


@pytest.fixture(scope='module')
def renderer():
    with KitchenRenderer(SEED) as renderer:
        yield renderer


def hue_saturation(image):
    """Return hue in degrees and saturation 0..1, each (H, W)."""
    rgb = image.astype(float) / 255
    high, low = rgb.max(axis=2), rgb.min(axis=2)
    spread = np.where(high > low, high - low, 1.0)
    red, green, blue = np.moveaxis(rgb, 2, 0)
    hue = np.select(
        [high == red, high == green],
        [((green - blue) / spread) % 6, (blue - red) / spread + 2],
        (red - green) / spread + 4,
    )
    return hue * 60, np.where(high > 0, (high - low) / np.where(high > 0, high, 1), 0)


@pytest.mark.parametrize('camera', [camera.name for camera in CAMERAS])
def test_a_picture_is_rgb_of_the_size_asked_for_and_not_blank(renderer, state, camera):
    image = renderer.render(camera, state.joint_position_rad, state.object_poses)
    assert image.shape == (480, 640, 3)
    assert image.dtype == np.uint8
    assert image.std() > 20
    assert len(np.unique(image.reshape(-1, 3), axis=0)) > 1000


def seen_by(renderer, state, camera, name):
    """Return how many pixels change when a slice is taken away."""
    gone = {**state.object_poses, name: Pose(np.array([0.0, 0.0, -5.0]), np.array([1.0, 0, 0, 0]))}
    joints = np.array(LOOKING_POSITION_RAD)
    with_slice = renderer.render(camera, joints, state.object_poses)
    without = renderer.render(camera, joints, gone)
    return (np.abs(with_slice.astype(int) - without).max(axis=2) > 20).sum()


@pytest.mark.parametrize('name', SLICE_NAMES)
def test_the_scene_camera_sees_every_slice(renderer, state, name):
    assert seen_by(renderer, state, 'scene', name) > 300


def test_the_wrist_camera_sees_food_before_the_jaw(renderer, state):
    assert max(seen_by(renderer, state, 'wrist', name) for name in SLICE_NAMES) > 3000


def test_the_wrist_camera_sees_the_jaw_move(renderer, state):
    closed, opened = (
        renderer.render('wrist', np.array([*HOME_POSITION_RAD[:5], jaw_rad]), state.object_poses)
        for jaw_rad in (0.0, 0.6)
    )
    assert (np.abs(closed.astype(int) - opened).max(axis=2) > 20).mean() > 0.03


def test_cheese_is_yellow_and_the_patty_is_brown(renderer, state):
    joints = np.array(LOOKING_POSITION_RAD)
    for name, darkest, brightest, hues in (
        ('cheese_slice', 110, 255, (35, 55)),
        ('patty', 20, 130, (5, 30)),
    ):
        gone = {**state.object_poses, name: Pose(np.array([0, 0, -5.0]), np.array([1.0, 0, 0, 0]))}
        image = renderer.render('scene', joints, state.object_poses)
        mask = np.any(image != renderer.render('scene', joints, gone), axis=2)
        hue, saturation = hue_saturation(image)
        assert hues[0] < np.median(hue[mask]) < hues[1], name
        assert np.median(saturation[mask]) > 0.4, name
        assert darkest < np.median(image.max(axis=2)[mask]) < brightest, name


def test_the_picture_is_upright_and_the_plate_is_on_the_arms_left(renderer, state):
    # Opposite the arm, its left (+y) is the picture's right; the wall is at the top.
    image = renderer.render('scene', state.joint_position_rad, state.object_poses).astype(int)
    _, saturation = hue_saturation(image)
    white = (saturation < 0.12) & (image.max(axis=2) > 120)
    white[: image.shape[0] // 3] = False  # the tiles
    rows, columns = np.nonzero(white)
    assert columns.mean() > 360
    assert rows.mean() > 200


def test_a_picture_depends_on_nothing_drawn_before(renderer, state):
    joints = np.array(LOOKING_POSITION_RAD)
    first = renderer.render('scene', joints, state.object_poses)
    renderer.render('wrist', np.array(HOME_POSITION_RAD), state.object_poses)
    np.testing.assert_array_equal(first, renderer.render('scene', joints, state.object_poses))


def test_a_smaller_picture_shows_the_same(renderer, state):
    large = renderer.render('scene', state.joint_position_rad, state.object_poses)
    with KitchenRenderer(SEED, width=160, height=120) as small:
        image = small.render('scene', state.joint_position_rad, state.object_poses)
    assert image.shape == (120, 160, 3)
    shrunk = large.reshape(120, 4, 160, 4, 3).mean(axis=(1, 3))
    assert np.abs(shrunk - image).mean() < 12


def test_an_unknown_camera_is_named_with_the_choices(renderer):
    with pytest.raises(ConfigurationError, match=r"'ceiling'.*there are: wrist, scene"):
        renderer.image('ceiling')


@pytest.mark.parametrize('joints', [np.zeros(5), np.full(6, np.nan)])
def test_joints_that_are_no_six_numbers_are_refused(renderer, joints):
    with pytest.raises(ConfigurationError, match='6 finite numbers'):
        renderer.set_state(joints, {})


@pytest.mark.parametrize('size', [(0, 480), (640, 100000)])
def test_a_picture_of_no_sensible_size_is_refused(size):
    with pytest.raises(ConfigurationError, match='16 to 4096 pixels'):
        KitchenRenderer(SEED, *size)


def test_an_unknown_backend_is_refused():
    with pytest.raises(ConfigurationError, match=r"egl, osmesa; found 'glfw'"):
        gl_backend.open_context(64, 64, 'glfw')
