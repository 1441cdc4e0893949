"""What a browser may say to viser."""

import msgspec
import pytest

from chefmate.viewer.gateway.browser_messages import ALLOWED, MAX_BYTES, may_pass


def say(**content):
    return may_pass(msgspec.msgpack.encode(content))


def test_every_allowed_name_is_a_message_of_viser():
    """viser may rename its messages; the page's buttons would then be dead."""
    messages = pytest.importorskip('viser._messages')
    known = messages.Message._subclass_from_type_string()
    assert set(known) >= ALLOWED


def test_a_press_and_a_moved_camera_pass():
    assert say(type='GuiUpdateMessage', uuid='u', updates={'value': True})
    assert say(type='ViewerCameraMessage', fov=1.0)


@pytest.mark.parametrize(
    'updates', [{'update_cb': []}, {'value': 1, 'update_cb': []}, {'removed': True}, {}, None, []]
)
def test_nobody_can_disarm_a_button(updates):
    assert not say(type='GuiUpdateMessage', uuid='u', updates=updates)


@pytest.mark.parametrize(
    'name',
    [
        'ShareUrlRequest',
        'CommandTriggerMessage',
        'FileTransferStartUpload',
        'FileTransferPart',
        'RunJavascriptMessage',
        'GuiRemoveMessage',
        'NoSuchMessage',
        '',
        None,
        3,
        ['GuiUpdateMessage'],
    ],
)
def test_what_the_page_does_not_need_does_not_pass(name):
    assert not say(type=name, uuid='u')


@pytest.mark.parametrize(
    'garbage',
    [
        b'',
        b'\xff' * 50,
        b'\x91' * 5000,
        b'\xdf\xff\xff\xff\xff',
        b'{"type": "ViewerCameraMessage"}',
        msgspec.msgpack.encode(['ViewerCameraMessage']),
        msgspec.msgpack.encode({'uuid': 'u'}),
        msgspec.msgpack.encode(
            {'type': 'GuiUpdateMessage', 'updates': {'value': 'u' * MAX_BYTES}}
        ),
        'text',
    ],
)
def test_garbage_does_not_pass(garbage):
    assert not may_pass(garbage)
