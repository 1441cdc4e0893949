import numpy as np
import pytest
import recording_rig as rig
from hypothesis import given
from hypothesis import strategies as st

from chefmate_core.errors import ConfigurationError
from chefmate_core.recording import cdr
from chefmate_core.recording.definitions import MessageTypes, dependencies
from chefmate_core.recording.errors import MessageBytesError
from chefmate_core.recording.jpeg import jpeg_size

TEXT = st.text(max_size=20).filter(lambda text: '\0' not in text)


@given(TEXT, st.lists(st.text('abc_', min_size=1, max_size=9), min_size=1, max_size=7))
def test_joints_are_read_as_another_library_wrote_them(mode, names):
    read = cdr.read_joints(rig.joints(rig.START_NS + 7, 0.25, mode, names))
    assert read.header == cdr.HeaderBytes(rig.START_NS + 7, mode)
    assert read.names == tuple(names)
    assert read.position_rad == pytest.approx(np.full(len(names), 0.25))


@given(st.dictionaries(TEXT, st.integers(), max_size=5), TEXT)
def test_diagnostics_are_read_as_another_library_wrote_them(values, name):
    header, (status,) = cdr.read_diagnostics(rig.diagnostics(5, name, values))
    assert header.stamp_ns == 5
    assert (status.name, status.values) == (name, {key: str(v) for key, v in values.items()})


def test_a_picture_is_found_in_its_message_byte_for_byte():
    header, content = cdr.read_image(rig.picture(11, rig.jpeg(3)))
    assert (header.stamp_ns, content) == (11, rig.jpeg(3))
    assert jpeg_size(content) == (64, 48)


@given(TEXT)
def test_a_string_message_is_what_another_library_makes_of_it(text):
    written = cdr.string_message(text)
    assert rig.STORE.deserialize_cdr(written, 'std_msgs/msg/String').data == text
    assert cdr.read_string(rig.text(text)) == text


@given(st.binary(max_size=80))
def test_rubbish_is_refused_and_never_crashes(data):
    for read in (cdr.read_joints, cdr.read_image, cdr.read_diagnostics, jpeg_size):
        with pytest.raises(MessageBytesError):
            read(data)
            raise MessageBytesError('it happened to be a message')


@pytest.mark.parametrize('length', [0, 3, 4, 11, 20, 60])
def test_a_truncated_message_is_refused(length):
    with pytest.raises(MessageBytesError):
        cdr.read_joints(rig.joints(1)[:length])


def test_a_definition_holds_all_that_the_type_depends_on():
    found = rig.types().find('diagnostic_msgs/msg/DiagnosticArray')
    for name in ('std_msgs/Header', 'builtin_interfaces/Time', 'diagnostic_msgs/KeyValue'):
        assert f'MSG: {name}\n' in found.definition


@pytest.mark.parametrize(
    'name',
    ['sensor_msgs/msg/JointState', 'sensor_msgs/msg/CameraInfo', 'std_msgs/msg/String'],
)
def test_hashes_are_those_of_the_standard(name):
    assert rig.types().find(name).type_hash == rig.STORE.hash_rihs01(name)


def test_dependencies_are_found_behind_arrays_bounds_comments_and_constants():
    text = '# Foo bar\nint32 MAX=3\nstring<=5 name\nPoint[<=4] points\npkg/msg/Far[2] far\n\n'
    assert dependencies(text, 'here') == ['here/Point', 'pkg/Far']


def test_a_type_that_is_not_installed_is_refused_with_the_place_that_was_searched(tmp_path):
    with pytest.raises(ConfigurationError, match=str(tmp_path)):
        MessageTypes([tmp_path]).find('std_msgs/msg/String')
