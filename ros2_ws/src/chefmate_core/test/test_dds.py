import pytest

from chefmate_core.dds import dds_environment, shared_memory_diagnosis
from chefmate_core.diagnosis import Level
from chefmate_core.errors import ConfigurationError


@pytest.fixture
def config_dir(tmp_path):
    folder = tmp_path / 'a folder'
    folder.mkdir()
    (folder / 'fastdds.xml').touch()
    (folder / 'cyclonedds.xml').touch()
    return folder


def test_by_default_nothing_leaves_this_host(config_dir):
    variables = dds_environment(config_dir)
    assert variables['ROS_AUTOMATIC_DISCOVERY_RANGE'] == 'LOCALHOST'
    assert variables['FASTRTPS_DEFAULT_PROFILES_FILE'] == str(config_dir / 'fastdds.xml')
    assert variables['CYCLONEDDS_URI'] == f'file://{config_dir}/cyclonedds.xml'
    assert 'CHEFMATE_DDS_INTERFACE' not in variables


def test_two_hosts_find_each_other_by_peer_and_the_interface_is_found_out(config_dir):
    variables = dds_environment(config_dir, two_hosts=True, peers=('127.0.0.2', '127.0.0.3'))
    assert variables['ROS_AUTOMATIC_DISCOVERY_RANGE'] == 'SUBNET'
    assert variables['ROS_STATIC_PEERS'] == '127.0.0.2;127.0.0.3'
    assert variables['CHEFMATE_DDS_INTERFACE'].startswith('127.0.0.')
    assert variables['CHEFMATE_DDS_PEER'] == '127.0.0.2'


def test_two_hosts_with_an_interface_need_no_peer(config_dir):
    variables = dds_environment(config_dir, two_hosts=True, interface_address='10.0.0.7')
    assert variables['CHEFMATE_DDS_INTERFACE'] == '10.0.0.7'
    assert 'ROS_STATIC_PEERS' not in variables


def test_two_hosts_without_a_hint_are_left_to_multicast_and_to_cyclones_own_defaults(config_dir):
    variables = dds_environment(config_dir, two_hosts=True)
    assert variables['ROS_AUTOMATIC_DISCOVERY_RANGE'] == 'SUBNET'
    assert 'FASTRTPS_DEFAULT_PROFILES_FILE' in variables
    assert 'CYCLONEDDS_URI' not in variables


def test_a_peer_that_is_no_address_is_named(config_dir):
    with pytest.raises(ConfigurationError, match=r'999\.1\.1\.1'):
        dds_environment(config_dir, two_hosts=True, peers=('999.1.1.1',))


def test_peers_for_one_host_are_a_contradiction(config_dir):
    with pytest.raises(ConfigurationError, match='this host only'):
        dds_environment(config_dir, peers=('10.0.0.8',))


def test_a_profile_that_its_owner_chose_stays(config_dir):
    variables = dds_environment(
        config_dir, inherited={'FASTRTPS_DEFAULT_PROFILES_FILE': '/mine.xml', 'CYCLONEDDS_URI': ''}
    )
    assert 'FASTRTPS_DEFAULT_PROFILES_FILE' not in variables
    assert 'CYCLONEDDS_URI' in variables


def test_a_missing_profile_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match=r'fastdds\.xml is missing'):
        dds_environment(tmp_path)


def test_shared_memory_is_judged_by_the_number_of_processes(tmp_path):
    assert shared_memory_diagnosis(0, tmp_path).level is Level.OK
    short = shared_memory_diagnosis(10**9, tmp_path)
    assert short.level is Level.ERROR
    assert '--shm-size' in short.message
    assert shared_memory_diagnosis(1, tmp_path / 'none').level is Level.ERROR
