from dataclasses import dataclass, field

import numpy as np
import pytest
from cyclonedds.idl import IdlStruct
from cyclonedds.idl.types import sequence, uint8, uint32
from cyclonedds.qos import Policy

from chefmate_core.dds_client import stamps
from chefmate_core.dds_client.images import CompressedImage, Image
from chefmate_core.dds_client.messages import Header, Time
from chefmate_core.dds_client.qos import qos
from chefmate_core.errors import CameraError
from chefmate_core.qos_table import COMMAND, LATCHED, LATEST_STATE, QOS_TABLE, Durability


@dataclass
class PlainImage(IdlStruct, typename='sensor_msgs.msg.dds_.Image_'):
    """The same message, left to cyclonedds altogether."""

    header: Header = field(default_factory=Header)
    height: uint32 = 0
    width: uint32 = 0
    encoding: str = ''
    is_bigendian: uint8 = 0
    step: uint32 = 0
    data: sequence[uint8] = field(default_factory=list)


@dataclass
class PlainCompressedImage(IdlStruct, typename='sensor_msgs.msg.dds_.CompressedImage_'):
    header: Header = field(default_factory=Header)
    format: str = ''
    data: sequence[uint8] = field(default_factory=list)


# Lengths that need every possible padding before the bytes.
FRAMES = ['', 'a', 'ab', 'abc', 'abcd', 'wrist_camera_optical_frame', 'Küche']


@pytest.mark.parametrize('frame', FRAMES)
@pytest.mark.parametrize('size', [0, 1, 6])
def test_images_are_on_the_wire_as_cyclonedds_itself_would_write_them(frame, size):
    values = (Header(Time(1, 2), frame), 1, 2, 'rgb8', 0, 6)
    data = bytes(range(size))
    ours = Image(*values, data)
    wire = PlainImage(*values, list(data)).serialize()
    assert ours.serialize() == wire
    assert Image.deserialize(wire) == ours
    file = CompressedImage(values[0], frame, data)
    wire = PlainCompressedImage(values[0], frame, list(data)).serialize()
    assert file.serialize() == wire
    assert CompressedImage.deserialize(wire) == file


def test_an_image_of_a_machine_with_the_other_byte_order_is_read():
    from cyclonedds.idl._support import Endianness

    wire = PlainImage(Header(Time(1, 2), 'x'), 1, 2, 'rgb8', 0, 6, list(range(6))).serialize(
        endianness=Endianness.Big
    )
    read = Image.deserialize(wire)
    assert (read.header.stamp, read.width, read.data) == (Time(1, 2), 2, bytes(range(6)))


def test_pixels_come_back_as_they_were_given():
    pixels = np.random.default_rng(1).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    image = Image.from_rgb(stamps.header(frame_id='f'), pixels[:, ::-1])
    assert (image.rgb() == pixels[:, ::-1]).all()


def test_rows_may_be_padded():
    image = Image(height=2, width=1, encoding='rgb8', step=4, data=b'abc_def_')
    assert image.rgb().tobytes() == b'abcdef'


@pytest.mark.parametrize('shape, kind', [((4, 4), np.uint8), ((4, 4, 3), float)])
def test_what_is_no_picture_is_refused(shape, kind):
    with pytest.raises(CameraError, match='expected rgb, uint8'):
        Image.from_rgb(Header(), np.zeros(shape, kind))


@pytest.mark.parametrize(
    'change, said',
    [
        ({'encoding': 'bgr8'}, 'bgr8'),
        ({'data': b'abc'}, '3 bytes'),
        ({'step': 2}, '2 bytes a row'),
    ],
)
def test_an_image_that_contradicts_itself_is_refused(change, said):
    fields = {'height': 2, 'width': 1, 'encoding': 'rgb8', 'step': 3, 'data': b'abcdef'} | change
    with pytest.raises(CameraError, match=said):
        Image(**fields).rgb()


def test_stamps_keep_every_nanosecond():
    for time_ns in (0, 999_999_999, 1_000_000_000, 1_795_277_058_498_367_333):
        assert stamps.from_stamp(stamps.to_stamp(time_ns)) == time_ns
    assert stamps.age_s(stamps.to_stamp(10**9), at_ns=3 * 10**9) == 2.0
    assert 0.0 <= stamps.age_s(stamps.header().stamp) < 3600.0


@pytest.mark.parametrize('row', QOS_TABLE, ids=lambda row: row.name)
def test_each_row_means_here_what_it_means_in_rclpy(row):
    quality = qos(row)
    assert quality[Policy.History].depth == row.depth
    reliable = isinstance(quality[Policy.Reliability], Policy.Reliability.Reliable)
    assert reliable == (row.reliability.value == 'reliable')
    transient = quality[Policy.Durability] is Policy.Durability.TransientLocal
    assert transient == (row.durability is Durability.TRANSIENT_LOCAL)
    assert (Policy.Deadline in quality) == (row.deadline_s is not None)


def test_a_late_reader_gets_as_many_samples_as_the_row_keeps():
    assert qos(LATCHED)[Policy.DurabilityService].history.depth == LATCHED.depth
    assert Policy.DurabilityService not in qos(LATEST_STATE)
    assert qos(COMMAND)[Policy.Deadline].deadline == int(COMMAND.deadline_s * 1e9)
