import math
from dataclasses import replace

import pytest

from chefmate_core import qos_table
from chefmate_core.errors import ConfigurationError
from chefmate_core.qos_table import QOS_TABLE, can_connect


def test_every_row_has_its_own_name_and_gives_a_reason():
    assert len({row.name for row in QOS_TABLE}) == len(QOS_TABLE)
    assert all(len(row.why.split()) >= 8 for row in QOS_TABLE)


def test_every_row_that_the_module_defines_is_in_the_table():
    rows = {
        value.name for value in vars(qos_table).values() if isinstance(value, qos_table.QosRow)
    }
    assert rows == {row.name for row in QOS_TABLE}


@pytest.mark.parametrize(
    ('writer', 'readers'),
    [
        (qos_table.STATE, (qos_table.LATEST_STATE, qos_table.EVERY_STATE)),
        (qos_table.COMMAND, (qos_table.COMMAND_READER,)),
        (qos_table.CHUNK, (qos_table.CHUNK,)),
        (qos_table.HEARTBEAT, (qos_table.HEARTBEAT,)),
        (qos_table.LATCHED, (qos_table.LATCHED,)),
        (qos_table.IMAGE, (qos_table.LATEST_IMAGE, qos_table.EVERY_IMAGE)),
        (qos_table.DIAGNOSTICS, (qos_table.DIAGNOSTICS,)),
    ],
)
def test_writers_and_readers_of_one_topic_connect(writer, readers):
    assert all(can_connect(writer, reader) for reader in readers)


def test_an_ordinary_reliable_reader_connects_to_every_writer():
    ordinary = replace(qos_table.DIAGNOSTICS, name='ordinary')
    writers = (
        qos_table.STATE,
        qos_table.COMMAND,
        qos_table.CHUNK,
        qos_table.HEARTBEAT,
        qos_table.LATCHED,
        qos_table.IMAGE,
    )
    assert all(can_connect(writer, ordinary) for writer in writers)


def test_a_commander_that_promises_no_deadline_still_reaches_the_driver():
    foreign = replace(qos_table.COMMAND, name='foreign', deadline_s=None)
    assert can_connect(foreign, qos_table.COMMAND_READER)


def test_weaker_offers_do_not_connect():
    assert not can_connect(qos_table.LATEST_STATE, qos_table.EVERY_STATE)
    assert not can_connect(qos_table.STATE, qos_table.LATCHED)
    assert not can_connect(replace(qos_table.COMMAND, deadline_s=None), qos_table.COMMAND)


@pytest.mark.parametrize('deadline_s', [math.nan, math.inf, 0.0, -1.0])
def test_a_deadline_that_is_no_time_is_refused(deadline_s):
    with pytest.raises(ConfigurationError, match='deadline'):
        replace(qos_table.COMMAND, deadline_s=deadline_s)


def test_a_depth_below_one_is_refused():
    with pytest.raises(ConfigurationError, match='depth'):
        replace(qos_table.COMMAND, depth=0)
