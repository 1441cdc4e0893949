"""What the kitchen is: the SO-101's model and the scene, for every simulator and viewer."""

from chefmate_description.share import mjcf_path, share_path, urdf_path, xacro_path

__all__ = ['mjcf_path', 'share_path', 'urdf_path', 'xacro_path']
