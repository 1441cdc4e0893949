"""The Foxglove layout against our interface. Foxglove itself was never run: docs/foxglove.md."""

import json
import re
from pathlib import Path

import pytest
import recording_rig as rig
from mcap.reader import make_reader
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from chefmate_core.joints import JOINT_NAMES

SOURCES = Path(__file__).resolve().parents[3]
LAYOUT = json.loads((SOURCES / 'chefmate' / 'foxglove' / 'chefmate.json').read_text())
PANELS = LAYOUT['configById']
JOINT_STATE = 'sensor_msgs/msg/JointState'
TOPICS = {
    '/follower/joint_states': JOINT_STATE,
    '/follower/joint_commands': JOINT_STATE,
    '/follower/joint_commands_applied': JOINT_STATE,
    '/follower/servo_telemetry': 'chefmate_msgs/msg/ServoTelemetry',
    '/twin/joint_states': JOINT_STATE,
    '/twin/joint_error': JOINT_STATE,
    '/policy/instruction': 'std_msgs/msg/String',
    '/policy/chunk_markers': 'visualization_msgs/msg/MarkerArray',
    '/emergency_stop_active': 'std_msgs/msg/Bool',
    '/diagnostics': 'diagnostic_msgs/msg/DiagnosticArray',
    '/scene/image_raw/compressed': 'sensor_msgs/msg/CompressedImage',
    '/wrist/image_raw/compressed': 'sensor_msgs/msg/CompressedImage',
    '/scene/camera_info': 'sensor_msgs/msg/CameraInfo',
    '/wrist/camera_info': 'sensor_msgs/msg/CameraInfo',
}


def typestore():
    store = get_typestore(Stores.ROS2_JAZZY)
    text = (SOURCES / 'chefmate_msgs' / 'msg' / 'ServoTelemetry.msg').read_text()
    store.register(get_types_from_msg(text, 'chefmate_msgs/msg/ServoTelemetry'))
    return store


def placed(node):
    """Return the panels of a part of the layout, tabs' content included."""
    if isinstance(node, str):
        tabs = PANELS[node]['tabs'] if node.startswith('Tab!') else []
        return [node, *(name for tab in tabs for name in placed(tab['layout']))]
    assert node['direction'] in ('row', 'column')
    assert 0 < node['splitPercentage'] < 100
    return placed(node['first']) + placed(node['second'])


def of_kind(kind):
    found = {name: panel for name, panel in PANELS.items() if name.startswith(f'{kind}!')}
    assert found
    return found


def plotted():
    """Return (panel, path) of everything that is plotted over time."""
    return [
        (name, path)
        for kind in ('Plot', 'StateTransitions')
        for name, panel in of_kind(kind).items()
        for path in panel['paths']
    ]


def texts(node):
    """Return every text in a part of the file."""
    if isinstance(node, dict):
        return [text for key, value in node.items() for text in [key, *texts(value)]]
    if isinstance(node, list):
        return [text for value in node for text in texts(value)]
    return [node] if isinstance(node, str) else []


def test_every_panel_has_one_place_and_every_place_a_panel():
    assert sorted(placed(LAYOUT['layout'])) == sorted(PANELS)


def test_every_topic_in_it_is_one_of_ours():
    named = {
        re.split(r'[.\[]', text)[0]
        for text in texts(PANELS)
        if re.match(r'/[a-z]', text) and text != '/emergency_stop'
    }
    assert named == set(TOPICS)


def test_every_path_leads_to_a_field_of_its_message():
    store = typestore()
    paths = [path['value'] for _, path in plotted()]
    paths += [panel['path'] for panel in of_kind('Indicator').values()]
    paths += [panel['topicPath'] for panel in of_kind('RawMessages').values()]
    for path in paths:
        topic, *fields = path.split('.')
        kind = TOPICS[topic]
        for field in fields:
            definition = dict(store.get_msgdef(kind).fields)
            name = field.partition('[')[0]
            assert name in definition, f'{path}: {kind} has {", ".join(definition)}'
            what, details = definition[name]
            kind = details if isinstance(details, str) else ''
            is_sequence = what.name in ('SEQUENCE', 'ARRAY')
            assert is_sequence == field.endswith(']'), path


def test_a_line_bears_the_name_of_the_joint_that_it_shows():
    by_joint = {name: f'Plot!{name}' for name in JOINT_NAMES}
    for name, panel in by_joint.items():
        indices = {re.search(r'\[(\d)\]$', path['value'])[1] for path in PANELS[panel]['paths']}
        assert indices == {str(JOINT_NAMES.index(name))}
    for panel in ('Plot!velocity', 'Plot!twin_error', 'Plot!temperature'):
        lines = PANELS[panel]['paths']
        assert [line['label'] for line in lines] == list(JOINT_NAMES)
        assert [line['value'][-3:] for line in lines] == [f'[{index}]' for index in range(6)]


def test_what_has_no_header_is_plotted_by_the_time_of_reception():
    store = typestore()
    for name, path in plotted():
        fields = dict(store.get_msgdef(TOPICS[path['value'].split('.')[0]]).fields)
        wanted = 'headerStamp' if 'header' in fields else 'receiveTime'
        assert path['timestampMethod'] == wanted, f'{name}: {path["value"]}'


@pytest.mark.parametrize(('panel', 'presses'), [('stop', True), ('release', False)])
def test_the_buttons_call_the_emergency_stop(panel, presses):
    button = PANELS[f'CallService!{panel}']
    assert button['serviceName'] == '/emergency_stop'
    assert json.loads(button['requestPayload']) == {'data': presses}
    assert button['editingMode'] is False


def test_nothing_but_the_emergency_stop_can_be_pressed():
    kinds = {name.partition('!')[0] for name in PANELS}
    assert kinds == {
        '3D', 'Image', 'Plot', 'StateTransitions', 'Indicator', 'RawMessages', 'DiagnosticSummary',
        'Tab', 'CallService',
    }  # fmt: skip
    assert {button['serviceName'] for button in of_kind('CallService').values()} == {
        '/emergency_stop'
    }


def test_the_arm_and_its_ghost_are_the_installed_description():
    layers = PANELS['3D!arm']['layers']
    arm, twin = layers['arm'], layers['twin']
    for layer in (arm, twin):
        match = re.fullmatch(r'package://chefmate_description/(urdf/\w+\.urdf)', layer['url'])
        # made at build time from here
        assert match[1] == 'urdf/so101.urdf'
        assert layer['instanceId'] in layers
    assert (arm['framePrefix'], twin['framePrefix']) == ('', 'twin/')
    assert arm['jointStatesTopic'] == '/follower/joint_states'
    assert twin['jointStatesTopic'] == '/twin/joint_states'
    assert PANELS['3D!arm']['followTf'] == 'base_link'


def test_our_recordings_are_in_the_encodings_that_foxglove_reads(tmp_path):
    """Profile ros2, messages cdr, schemas ros2msg: https://mcap.dev/spec/registry."""
    recorder = rig.make_recorder(tmp_path / 'session')
    rig.record(recorder, rig.episode_messages())
    recorder.close()
    (file,) = tmp_path.glob('session/episode_000000/*.mcap')
    with file.open('rb') as stream:
        reader = make_reader(stream)
        assert reader.get_header().profile == 'ros2'
        summary = reader.get_summary()
    assert {schema.encoding for schema in summary.schemas.values()} == {'ros2msg'}
    for channel in summary.channels.values():
        assert channel.message_encoding == 'cdr'
        schema = summary.schemas[channel.schema_id]
        assert schema.name == TOPICS.get(channel.topic, schema.name)
        assert schema.data
    shown = {channel.topic for channel in summary.channels.values()} & set(TOPICS)
    assert len(shown) == 9
