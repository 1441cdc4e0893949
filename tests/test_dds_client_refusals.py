"""What disagrees, does not fit or is no message at all, on either side of the DDS client."""

import xml.etree.ElementTree as ElementTree

import pytest
from dds_peers import CONFIG, Ros, connected, repeated, until
from sensor_msgs.msg import JointState as RosJointState
from std_msgs.msg import Bool as RosBool
from std_msgs.msg import String as RosString

from chefmate_core import qos_table
from chefmate_core.dds_client.discovery import discovery
from chefmate_core.dds_client.errors import DdsError
from chefmate_core.dds_client.messages import (
    Bool,
    Header,
    JointState,
    String,
    Time,
)
from chefmate_core.dds_client.mismatch import mismatches
from chefmate_core.dds_client.participant import Participant

pytestmark = pytest.mark.system
pytest_plugins = ['dds_fixtures']


def test_another_type_on_the_topic_is_named_and_harms_nothing(dds, ros, domain):
    wrong = ros.speak('state', RosString)
    heard = ros.hear('goals', RosString)
    here = []
    dds.subscription('state', JointState, qos_table.EVERY_STATE, here.append)
    publisher = dds.publisher('goals', JointState, qos_table.STATE)
    until(dds, lambda: len(mismatches(dds)) == 2, 'the mismatch')
    assert sorted(mismatches(dds)) == [
        '/goals: a reader has the type std_msgs/msg/String, here it is sensor_msgs/msg/JointState',
        '/state: a writer has the type std_msgs/msg/String, here it is sensor_msgs/msg/JointState',
    ]
    wrong.publish(RosString(data='x' * 1000))
    publisher.publish(JointState(name=['Jaw'], position=[1.0]))
    other = Ros(domain)  # one ROS process cannot have both types either
    try:
        right = other.speak('state', RosJointState)
        repeated(dds, lambda: right.publish(RosJointState(name=['Jaw'])), lambda: here)
    finally:
        other.close()
    assert all(list(state.name) == ['Jaw'] for state in here)
    assert not heard


def test_a_disagreement_about_quality_is_named(dds, ros):
    ros.speak('state', RosBool, qos_table.LATEST_STATE)
    ros.speak('latched', RosBool, qos_table.STATE)
    ros.hear('goals', RosBool, qos_table.LATCHED)
    dds.subscription('state', Bool, qos_table.EVERY_STATE)
    dds.subscription('latched', Bool, qos_table.LATCHED)
    dds.publisher('goals', Bool, qos_table.STATE)
    until(dds, lambda: len(mismatches(dds)) == 3, 'the mismatch')
    said = '\n'.join(sorted(mismatches(dds)))
    assert '/goals: a reader and we disagree: volatile is offered, transient local' in said
    assert '/latched: a writer and we disagree: volatile is offered, transient local' in said
    assert '/state: a writer and we disagree: best effort is offered, reliable requested' in said
    assert not dds.wait_until_connected(0.1)


def test_where_all_is_connected_there_is_no_mismatch(dds, ros):
    ros.hear('state', RosBool)
    dds.publisher('state', Bool, qos_table.STATE)
    connected(dds, ros)
    assert mismatches(dds) == []


GARBAGE = {
    'not UTF-8': b'\x00\x01\x00\x00' + b'\x03\x00\x00\x00\xff\xfe\x00\x00',
    'too long a length': b'\x00\x01\x00\x00' + b'\xff\xff\xff\x7fabcd',
    'no zero at the end': b'\x00\x01\x00\x00' + b'\x04\x00\x00\x00abcd',
    'nothing': b'\x00\x01\x00\x00',
    'noise': b'\xff\xff\xff\xff' + bytes(range(200, 240)),
}


def test_bytes_that_are_no_message_are_dropped_and_the_next_one_is_read(dds, ros):
    here = []
    text = dds.subscription('text', String, qos_table.EVERY_STATE, here.append)
    publisher = ros.speak('text', RosString)
    connected(dds, ros)
    for what, garbage in GARBAGE.items():
        publisher.publish(garbage)
        publisher.publish(RosString(data=f'behind {what}'))
    until(dds, lambda: here and here[-1].data == 'behind noise', 'the last good message')
    assert [message.data for message in here] == [f'behind {what}' for what in GARBAGE]
    # Cyclone DDS itself drops the others; what is in a string it leaves to the reader.
    assert text.malformed == 1
    assert 'utf-8' in text.last_malformed


@pytest.mark.parametrize(
    'message',
    [JointState(name=[1]), JointState(position=['x']), JointState(Header(Time(2**31, 0)))],
    ids=['name', 'position', 'stamp'],
)
def test_a_message_that_does_not_fit_its_type_is_not_sent(dds, message):
    publisher = dds.publisher('state', JointState, qos_table.STATE)
    with pytest.raises(DdsError, match='/state: JointState cannot be sent'):
        publisher.publish(message)
    with pytest.raises(DdsError, match='/state: Bool cannot be sent'):
        publisher.publish(Bool(True))
    publisher.publish(JointState())
    assert publisher.published == 1


def test_another_domain_is_not_heard(dds, variables):
    here = []
    dds.subscription('state', Bool, qos_table.LATCHED, here.append)
    other = {**variables, 'ROS_DOMAIN_ID': str((int(variables['ROS_DOMAIN_ID']) + 1) % 100)}
    with Participant(environment=other) as stranger, Participant(environment=variables) as friend:
        stranger.publisher('state', Bool, qos_table.LATCHED).publish(Bool(True))
        friend.publisher('state', Bool, qos_table.LATCHED).publish(Bool(False))
        until(dds, lambda: here, 'a message')
        dds.spin_until(lambda: False, 0.5)
    assert here == [Bool(False)]


def test_one_process_has_one_configuration_of_a_domain(dds, variables):
    with (
        pytest.raises(DdsError, match='another configuration'),
        Participant(environment={**variables, 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'SUBNET'}),
    ):
        pass


def test_an_interface_that_is_not_there_is_refused(variables):
    variables = {
        **variables,
        'ROS_AUTOMATIC_DISCOVERY_RANGE': 'SUBNET',
        'CHEFMATE_DDS_INTERFACE': '203.0.113.77',
    }
    with pytest.raises(DdsError, match='CHEFMATE_DDS_INTERFACE'):
        Participant(environment=variables)


def test_what_is_closed_says_so_and_may_be_closed_again(variables):
    dds = Participant(environment=variables)
    publisher = dds.publisher('state', Bool, qos_table.STATE)
    subscription = dds.subscription('state', Bool, qos_table.EVERY_STATE)
    dds.close()
    dds.close()
    for use in (
        lambda: publisher.publish(Bool()),
        subscription.take,
        lambda: dds.spin_once(0.0),
        lambda: dds.publisher('other', Bool, qos_table.STATE),
    ):
        with pytest.raises(DdsError, match='closed'):
            use()
    with Participant(environment=variables) as again:
        again.publisher('state', Bool, qos_table.STATE)


def test_large_messages_are_configured_as_in_the_file_for_ros_processes():
    file = ElementTree.parse(CONFIG / 'cyclonedds.xml').getroot()
    made = ElementTree.fromstring(discovery({}).xml)
    for tag in ('MaxMessageSize', 'SocketReceiveBufferSize', 'WhcHigh', 'MaxAutoParticipantIndex'):
        (ours,) = made.iter(f'{{https://cdds.io/config}}{tag}')
        (theirs,) = file.iter(f'{{https://cdds.io/config}}{tag}')
        assert (ours.text, ours.attrib) == (theirs.text, theirs.attrib), (
            f'{tag}: dds_client/discovery.py and config/cyclonedds.xml disagree; change both'
        )
