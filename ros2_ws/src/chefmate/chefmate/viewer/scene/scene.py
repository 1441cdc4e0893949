"""The whole picture, and what in it moves."""

from collections.abc import Mapping

import numpy as np
import viser

from chefmate.viewer.scene.arm_model import ArmModel
from chefmate.viewer.scene.arm_view import ArmView, rgb
from chefmate.viewer.scene.kitchen_meshes import Parts, table, things
from chefmate_core.geometry import Pose
from chefmate_core.kinematics.planned_path import PlannedPath

# A look at arm, tray and plate at once, from the front left.
CAMERA_AT_M = (0.81, 0.34, 0.50)
CAMERA_LOOKS_AT_M = (0.15, 0.0, 0.07)
CAMERA_FOV_RAD = 0.75  # vertical
# From further away in a picture that is narrower than this, so that plate and tray stay in it.
WIDE_ENOUGH = 0.85
PORTRAIT, RAISED = 0.75, 0.19  # width by height; how far up then, as part of the picture's height

GHOST_COLOUR = (0.16, 0.50, 0.95)
GHOST_OPACITY = 0.35
# The ghost appears when a joint is further off than the first, and goes below the second: two
# surfaces in one place would flicker.
GHOST_FROM_RAD, GHOST_TO_RAD = 0.03, 0.02
NOTICEABLE_M = 5e-5
PATH_WIDTH_M = 0.005
PATH_END_RADIUS_M = 0.008


class Scene:
    """Arm, twin, kitchen and the planned path; everything but the table is hidden until known."""

    def __init__(self, scene: viser.SceneApi, model: ArmModel) -> None:
        scene.set_up_direction('+z')
        _light(scene)
        _add(scene, '/table', table())
        self.arm = ArmView(scene, '/arm', model)
        self.twin = ArmView(scene, '/twin', model, GHOST_COLOUR, GHOST_OPACITY)
        self._things = {}
        for name, parts in things().items():
            self._things[name] = scene.add_frame(f'/{name}', show_axes=False, visible=False)
            _add(scene, f'/{name}', parts)
        self._shown: dict[str, Pose] = {}
        self._path = scene.add_line_segments(
            '/path', np.zeros((1, 2, 3)), np.zeros((1, 2, 3)), thickness=PATH_WIDTH_M,
            visible=False,
        )  # fmt: skip
        self._path_end = scene.add_icosphere(
            '/path_end', PATH_END_RADIUS_M, color=(0, 0, 0), cast_shadow=False, visible=False
        )

    def place(self, poses: Mapping[str, Pose]) -> None:
        """Put things where they are; what is unknown here is left out."""
        for name, pose in poses.items():
            frame = self._things.get(name)
            if frame is None or _looks_same(self._shown.get(name), pose):
                continue
            self._shown[name] = pose
            frame.position, frame.wxyz = pose.position_m, pose.quaternion_wxyz
            frame.visible = True

    def clear(self) -> None:
        """Hide every thing: nobody says any more where they are."""
        for name in self._shown:
            self._things[name].visible = False
        self._shown.clear()

    def show_twin(self, twin_rad: np.ndarray | None, arm_rad: np.ndarray | None) -> None:
        """Show the twin where it is not in the arm's own place; None: it is not known."""
        if twin_rad is None:
            self.twin.show(False)
            return
        off_rad = np.inf if arm_rad is None else np.abs(twin_rad - arm_rad).max()
        if off_rad > (GHOST_TO_RAD if self.twin.shown else GHOST_FROM_RAD):
            self.twin.move(twin_rad)
        else:
            self.twin.show(False)

    def show_path(self, path: PlannedPath | None) -> None:
        """Show where the gripper is about to go, or nothing."""
        has_line = path is not None and len(path.points_m) > 1
        if path is not None:
            colours = np.round(255 * path.colours_rgba[:, :3]).astype(np.uint8)
            self._path_end.position = path.points_m[-1]
            red, green, blue = (int(part) for part in colours[-1])
            if self._path_end.color != (red, green, blue):
                self._path_end.color = (red, green, blue)
            if has_line:
                self._path.points = _pairs(path.points_m).astype(np.float32)
                self._path.colors = _pairs(_line_colours(path.colours_rgba))
        for handle, visible in ((self._path, has_line), (self._path_end, path is not None)):
            if handle.visible != visible:
                handle.visible = visible


def aim(client: viser.ClientHandle) -> None:
    """Turn a new browser's view to the kitchen: further away and higher up on a phone."""
    aspect = max(client.camera.image_width, 1) / max(client.camera.image_height, 1)
    target = np.array(CAMERA_LOOKS_AT_M)
    away = (np.array(CAMERA_AT_M) - target) * max(1.0, WIDE_ENOUGH / aspect)
    if aspect < PORTRAIT:  # the sheet of panels covers the lower half of the picture
        ahead = -away / np.linalg.norm(away)
        up = np.cross(np.cross(ahead, (0.0, 0.0, 1.0)), ahead)
        height = 2.0 * np.linalg.norm(away) * np.tan(CAMERA_FOV_RAD / 2)
        target = target - up / np.linalg.norm(up) * height * RAISED
    client.camera.fov = CAMERA_FOV_RAD
    client.camera.position = target + away
    client.camera.look_at = target


def _light(scene: viser.SceneApi) -> None:
    """Light from above and from the camera's side; shadow maps would be half a phone's work."""
    scene.configure_default_lights(enabled=False)
    scene.configure_environment_map(None)
    scene.add_light_hemisphere(
        '/light/room', sky_color=(255, 252, 245), ground_color=(150, 135, 120), intensity=2.1
    )
    scene.add_light_directional('/light/lamp', intensity=1.9, position=(0.5, 0.6, 1.2))
    scene.add_light_directional('/light/window', intensity=0.5, position=(0.8, -0.8, 0.4))


def _add(scene: viser.SceneApi, root: str, parts: Parts) -> None:
    for index, (mesh, colour) in enumerate(parts):
        scene.add_mesh_simple(
            f'{root}/look_{index}',
            mesh.vertices_m,
            mesh.faces,
            color=rgb(colour),
            flat_shading=True,
            cast_shadow=False,
            receive_shadow=False,
        )


def _line_colours(colours_rgba: np.ndarray) -> np.ndarray:
    """Return colours in 0..255, shape (n, 3): viser takes those of lines as linear light."""
    return np.round(255 * colours_rgba[:, :3] ** 2.2).astype(np.uint8)


def _pairs(points: np.ndarray) -> np.ndarray:
    """Return the segments between points of shape (n, 3), shape (n - 1, 2, 3)."""
    return np.stack([points[:-1], points[1:]], axis=1)


def _looks_same(shown: Pose | None, pose: Pose) -> bool:
    if shown is None:
        return False
    moved = np.abs(shown.position_m - pose.position_m).max()
    turned = np.abs(shown.quaternion_wxyz - pose.quaternion_wxyz).max()
    return bool(moved < NOTICEABLE_M and turned < NOTICEABLE_M)
