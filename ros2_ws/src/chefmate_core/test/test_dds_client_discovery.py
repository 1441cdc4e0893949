import xml.etree.ElementTree as ElementTree

import pytest

from chefmate_core.dds_client.discovery import discovery
from chefmate_core.errors import ConfigurationError

NAMESPACE = '{https://cdds.io/config}'


def addresses(xml, tag):
    return [e.get('address') for e in ElementTree.fromstring(xml).iter(f'{NAMESPACE}{tag}')]


def multicast(xml):
    return ElementTree.fromstring(xml).find(f'.//{NAMESPACE}AllowMulticast').text


def test_by_default_it_is_domain_zero_on_this_host_only():
    found = discovery({})
    assert found.domain == 0
    assert addresses(found.xml, 'NetworkInterface') == ['127.0.0.1']
    assert addresses(found.xml, 'Peer') == ['127.0.0.1']
    assert multicast(found.xml) == 'false'


def test_the_subnet_is_found_by_multicast_on_the_interface_that_cyclone_chooses():
    found = discovery({'ROS_DOMAIN_ID': '7', 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'SUBNET'})
    assert found.domain == 7
    assert addresses(found.xml, 'NetworkInterface') == []
    assert multicast(found.xml) == 'spdp'


def test_peers_and_the_interface_are_named():
    found = discovery(
        {
            'ROS_AUTOMATIC_DISCOVERY_RANGE': 'SUBNET',
            'ROS_STATIC_PEERS': '10.0.0.8; gpu.local;',
            'CHEFMATE_DDS_INTERFACE': '10.0.0.7',
        }
    )
    assert addresses(found.xml, 'Peer') == ['10.0.0.8', 'gpu.local']
    assert addresses(found.xml, 'NetworkInterface') == ['10.0.0.7']


def test_an_address_cannot_break_the_configuration():
    hostile = '"/><Domain Id="1'
    found = discovery(
        {'ROS_AUTOMATIC_DISCOVERY_RANGE': 'SUBNET', 'CHEFMATE_DDS_INTERFACE': hostile}
    )
    assert addresses(found.xml, 'NetworkInterface') == [hostile]


@pytest.mark.parametrize(
    'more',
    [{'CYCLONEDDS_URI': 'file:///mine.xml'}, {'ROS_AUTOMATIC_DISCOVERY_RANGE': 'SYSTEM_DEFAULT'}],
)
def test_the_owners_own_configuration_is_left_alone(more):
    found = discovery({'ROS_DOMAIN_ID': '3', **more})
    assert (found.domain, found.xml) == (3, None)


def test_the_old_variable_for_one_host_still_counts():
    found = discovery({'ROS_AUTOMATIC_DISCOVERY_RANGE': 'SUBNET', 'ROS_LOCALHOST_ONLY': '1'})
    assert addresses(found.xml, 'NetworkInterface') == ['127.0.0.1']


@pytest.mark.parametrize('text', ['-1', '233', 'seven', '1.5'])
def test_a_domain_that_is_none_is_refused(text):
    with pytest.raises(ConfigurationError, match='0 to 232'):
        discovery({'ROS_DOMAIN_ID': text})


def test_a_range_that_finds_nobody_is_refused():
    with pytest.raises(ConfigurationError, match='no process would ever be found'):
        discovery({'ROS_AUTOMATIC_DISCOVERY_RANGE': 'OFF'})
    with pytest.raises(ConfigurationError, match='LOCALHOST, SUBNET'):
        discovery({'ROS_AUTOMATIC_DISCOVERY_RANGE': 'localhost'})


def test_peers_for_one_host_are_a_contradiction():
    with pytest.raises(ConfigurationError, match='this host only'):
        discovery({'ROS_STATIC_PEERS': '10.0.0.8'})
