"""One arm in the picture: frames that turn as the joints do. The twin is a second, translucent."""

import numpy as np
import viser
import viser.transforms as vtf

from chefmate.viewer.scene.arm_model import ArmModel
from chefmate_core.joints import JOINT_NAMES
from chefmate_description.shapes import Colour

# Smaller turns are not sent to the browsers; the longest arm moves 0.05 mm by it.
NOTICEABLE_RAD = 1e-4


class ArmView:
    """Links as frames below one another, each with its meshes; joints are found by name."""

    def __init__(
        self,
        scene: viser.SceneApi,
        root: str,
        model: ArmModel,
        ghost_colour: Colour | None = None,
        opacity: float | None = None,
    ) -> None:
        self._root = scene.add_frame(root, show_axes=False, visible=False)
        self._shown_rad = np.full(len(JOINT_NAMES), np.nan)
        self._frames: dict[str, tuple[viser.FrameHandle, vtf.SO3, np.ndarray]] = {}
        tree = model.tree
        paths = {tree.root: f'{root}/{tree.root}'}
        scene.add_frame(paths[tree.root], show_axes=False)
        waiting = [link for link in tree.links if link != tree.root]
        while waiting:  # a parent first: paths are made of their names
            link = next(link for link in waiting if tree.joint_of_link[link].parent in paths)
            waiting.remove(link)
            joint = tree.joint_of_link[link]
            paths[link] = f'{paths[joint.parent]}/{link}'
            T_parent_child = joint.T_parent_child_zero
            at_zero = vtf.SO3.from_matrix(T_parent_child[:3, :3])
            frame = scene.add_frame(
                paths[link],
                show_axes=False,
                wxyz=at_zero.wxyz,
                position=T_parent_child[:3, 3],
            )
            if joint.turns:
                self._frames[joint.name] = (frame, at_zero, joint.axis)
        for link, looks in model.looks.items():
            if link == tree.root and ghost_colour is not None:
                continue  # it stands in the arm's own base, and both would flicker
            for index, (mesh, colour) in enumerate(looks):
                scene.add_mesh_simple(
                    f'{paths[link]}/look_{index}',
                    mesh.vertices_m,
                    mesh.faces,
                    color=rgb(ghost_colour or colour),
                    opacity=opacity,
                    flat_shading=True,
                    side='double',
                    cast_shadow=False,
                    receive_shadow=False,
                )

    def move(self, position_rad: np.ndarray) -> None:
        """Show the arm at joint positions of shape (6,), rad, in JOINT_NAMES order."""
        for index, name in enumerate(JOINT_NAMES):
            change = abs(position_rad[index] - self._shown_rad[index])
            if change < NOTICEABLE_RAD:  # false for the NaN of the first time
                continue
            self._shown_rad[index] = position_rad[index]
            frame, at_zero, axis = self._frames[name]
            frame.wxyz = (at_zero @ vtf.SO3.exp(axis * position_rad[index])).wxyz
        self.show(True)

    @property
    def shown(self) -> bool:
        """Whether it is shown."""
        return self._root.visible

    def show(self, visible: bool) -> None:
        """Show or hide it."""
        if self._root.visible != visible:
            self._root.visible = visible


def rgb(colour: Colour) -> tuple[int, int, int]:
    """Return a colour in 0..255."""
    red, green, blue = (round(255 * part) for part in colour)
    return red, green, blue
