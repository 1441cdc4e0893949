"""Both cameras' pictures, as they came: JPEG in, JPEG out, never decoded here."""

import base64
from html import escape

import viser

from chefmate.viewer.feeds import CAMERAS, Feed

SILENT_AFTER_S = 2.0
TITLES = {'scene': 'Camera above the table', 'wrist': 'Camera on the gripper'}
# A picture that is replaced is decoded before it is shown, or it would flicker.
IMAGE = (
    '<img alt="{title}" decoding="sync" width="640" height="480" '
    'style="display:block;width:100%;height:auto;border-radius:6px;{dimmed}" '
    'src="data:image/jpeg;base64,{content}">'
)
EMPTY = (
    '<div style="aspect-ratio:4/3;border-radius:6px;background:#8883;display:flex;'
    'align-items:center;justify-content:center;text-align:center;opacity:.8;font-size:13px">'
    '{text}</div>'
)


class CamerasPanel:
    """A picture for each camera, with what is wrong with it, if anything."""

    def __init__(self, gui: viser.GuiApi) -> None:
        self._handles = {camera: gui.add_html('') for camera in reversed(CAMERAS)}
        self._shown: dict[str, tuple[float, str]] = {}

    def draw(self, images: dict[str, Feed[bytes]], now_s: float) -> None:
        """Show the newest pictures; a camera that has not sent another costs nothing."""
        for camera, handle in self._handles.items():
            feed = images[camera]
            age_s = now_s - feed.received_s
            note = ''
            if feed.value is not None and age_s > SILENT_AFTER_S:
                note = f'silent for {age_s:.0f} s'
            shown = (feed.received_s, note)
            if self._shown.get(camera) == shown and camera in self._shown:
                continue
            self._shown[camera] = shown
            handle.content = _picture(TITLES[camera], feed, note)


def _picture(title: str, feed: Feed[bytes], note: str) -> str:
    if feed.value is None:
        body = EMPTY.format(text=escape(feed.refusal or 'no picture yet'))
    else:
        body = IMAGE.format(
            title=escape(title, quote=True),
            dimmed='filter:grayscale(1) opacity(.5)' if note else '',
            content=base64.b64encode(feed.value).decode('ascii'),
        )
    warning = f' <b style="color:#e8890c">{escape(note)}</b>' if note else ''
    return (
        f'<div style="padding:0 12px 10px"><div style="font-size:12px;opacity:.75;'
        f'margin-bottom:3px">{escape(title)}{warning}</div>{body}</div>'
    )
