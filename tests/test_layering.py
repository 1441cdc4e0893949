"""Who may import whom; read from the syntax trees, so that no import hides in a function."""

import ast
from pathlib import Path

import pytest

SOURCES = Path(__file__).resolve().parents[1] / 'ros2_ws' / 'src'

ROS = {'rclpy', 'sensor_msgs', 'std_msgs', 'trajectory_msgs', 'diagnostic_msgs', 'geometry_msgs',
       'builtin_interfaces', 'std_srvs', 'rcl_interfaces', 'lifecycle_msgs',
       'visualization_msgs', 'rosgraph_msgs', 'chefmate_msgs'}  # fmt: skip
OURS = {'chefmate', 'chefmate_core', 'chefmate_ros', 'chefmate_description', 'chefmate_sim',
        'chefmate_policy'}  # fmt: skip
HEAVY = {'torch', 'transformers', 'peft', 'mujoco', 'mink'}

# package -> imports that it must not have
FORBIDDEN = {
    'chefmate_core': ROS | OURS - {'chefmate_core'} | HEAVY | {'launch', 'launch_ros'},
    'chefmate_ros': OURS - {'chefmate_core', 'chefmate_ros'} | HEAVY,
    'chefmate_description': ROS | OURS - {'chefmate_core', 'chefmate_description'} | HEAVY,
    'chefmate': {'chefmate_sim', 'chefmate_policy'} | HEAVY,
    'chefmate_sim': {'chefmate', 'chefmate_policy', 'torch', 'cv2'},
    'chefmate_policy': {'chefmate', 'chefmate_sim', 'chefmate_description', 'mujoco', 'mink'},
}


# What only the codecs and clients of remote policies may import (docs/decisions/0011): the rest of
# core, and with it the driver, needs none of it.
OF_THE_WIRE = {'cv2', 'zmq', 'msgpack', 'urllib3'}
WIRE = (('policy', 'wire'), ('policy', 'remote'))


# What only recordings and data sets may import.
OF_DATA = {'mcap', 'rosbags', 'pyarrow', 'av', 'huggingface_hub'}
DATA = {'recording', 'session_reader', 'observing', 'dataset', 'dataset_checks'}


# Heavy or peculiar packages, each behind one door; package, folder.
ONE_DOOR = {
    'cyclonedds': ('chefmate_core', 'dds_client'),
    'viser': ('chefmate', 'viewer'),
    'websockets': ('chefmate', 'viewer'),
    'matplotlib': ('chefmate', 'bag_plot'),
    'pxr': ('chefmate_sim', 'isaac'),
}


def modules(package):
    return sorted((SOURCES / package / package).rglob('*.py'))


def imports(path):
    """Return the top-level names that a file imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split('.')[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split('.')[0])
    return names


@pytest.mark.parametrize('package', FORBIDDEN)
def test_a_package_imports_only_what_its_layer_may(package):
    assert modules(package), f'{package} has no modules'
    for path in modules(package):
        wrong = imports(path) & FORBIDDEN[package]
        assert not wrong, f'{path.relative_to(SOURCES)} imports {", ".join(sorted(wrong))}'


def test_in_core_only_remote_policies_know_networks_and_codecs():
    for path in modules('chefmate_core'):
        if path.parent.parts[-2:] not in WIRE:
            wrong = imports(path) & OF_THE_WIRE
            assert not wrong, f'{path.relative_to(SOURCES)} imports {", ".join(sorted(wrong))}'


def test_in_core_only_recordings_and_data_sets_know_their_formats():
    for path in modules('chefmate_core'):
        if path.parent.name not in DATA:
            wrong = imports(path) & OF_DATA
            assert not wrong, f'{path.relative_to(SOURCES)} imports {", ".join(sorted(wrong))}'


@pytest.mark.parametrize('name', ONE_DOOR)
def test_what_only_one_folder_needs_only_that_folder_imports(name):
    package, folder = ONE_DOOR[name]
    for path in [path for ours in FORBIDDEN for path in modules(ours)]:
        if name in imports(path):
            inside = path.relative_to(SOURCES).parts
            assert inside[0] == package and folder in inside, f'{"/".join(inside)} imports {name}'


def test_in_the_simulation_only_nodes_and_commands_know_ros():
    for path in modules('chefmate_sim'):
        if not {'nodes', 'cli'} & set(path.parts) and path.name != 'start.py':
            wrong = imports(path) & (ROS | {'chefmate_ros'})
            assert not wrong, f'{path.relative_to(SOURCES)} imports {", ".join(sorted(wrong))}'


def test_every_package_is_under_this_rule():
    found = {path.parent.name for path in SOURCES.glob('*/package.xml')}
    assert found == set(FORBIDDEN) | {'chefmate_msgs'}


def test_nodes_are_short_and_one_to_a_file():
    for path in SOURCES.glob('*/*/nodes/*_node.py'):
        text = path.read_text()
        assert text.count('\nclass ') + text.startswith('class ') <= 2, f'{path.name}: one node'
        assert len(text.splitlines()) < 300, f'{path.name}: move logic out of the node'
