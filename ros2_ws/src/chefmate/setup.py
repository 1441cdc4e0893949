from pathlib import Path

from setuptools import find_packages, setup

PACKAGE = 'chefmate'


def installed(folder, pattern):
    """One data_files entry; an empty one would be installed in silence, so it is refused."""
    files = sorted(str(path) for path in Path(folder).glob(pattern))
    if not files:
        raise SystemExit(
            f'{PACKAGE}: {folder}/{pattern} matches no file. {folder} is a symbolic link to the '
            f"repository's top level: check the repository out with symbolic links"
        )
    return (f'share/{PACKAGE}/{folder}', files)


setup(
    name=PACKAGE,
    version='0.1.0',
    packages=find_packages(exclude=['test']),
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{PACKAGE}']),
        (f'share/{PACKAGE}', ['package.xml']),
        ('bin', ['bin/chefmate']),
        installed('launch', '*.launch.py'),
        installed('config', '*'),
        installed('calibration', '*.json'),
        installed('rviz', '*.rviz'),
        installed('foxglove', '*.json'),
    ],
    install_requires=['setuptools'],
    extras_require={'test': ['pytest']},  # tells colcon to run pytest
    zip_safe=False,
    maintainer='ChefMate maintainers',
    maintainer_email='maintainers@chefmate.dev',
    description='ROS 2 nodes, launch files, configuration and the chefmate command.',
    license='MIT',
    entry_points={
        'console_scripts': [
            f'{node} = chefmate.start:{node}'
            for node in (
                'action_executor_node',
                'arm_driver_node',
                'camera_node',
                'chunk_markers_node',
                'joint_state_bridge_node',
                'policy_node',
                'recorder_node',
                'task_node',
                'teleop_node',
                'viewer_node',
            )
        ],
    },
)
