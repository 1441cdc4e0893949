"""What LeRobot needs of torchvision and no CPU build of today's torchvision has.

* The registry's wheel is built for CUDA: its operators do not load, and importing it fails where
  it describes them. Declaring the two is enough: no data set needs them.
* `torchvision.io.VideoReader` was taken out of torchvision. LeRobot's `pyav` backend asks it to
  seek and to iterate; that much is here, over PyAV. LeRobot still decides which image belongs to
  which time stamp, and refuses what is off.
"""

import av
import torch

_OPERATORS = torch.library.Library('torchvision', 'DEF')
for _name in ('nms', 'qnms'):
    _OPERATORS.define(f'{_name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor')

import torchvision  # noqa: E402 (after its operators are declared)


class VideoReader:
    def __init__(self, path, stream):
        self.container = av.open(path)
        self._video = self.container.streams.video[0]

    def seek(self, time_s, keyframes_only=False):
        ticks = int(time_s / self._video.time_base)
        self.container.seek(ticks, stream=self._video, backward=True)

    def __iter__(self):
        for frame in self.container.decode(self._video):
            image = torch.from_numpy(frame.to_ndarray(format='rgb24')).permute(2, 0, 1)
            yield {'pts': float(frame.pts * self._video.time_base), 'data': image}


torchvision.io.VideoReader = VideoReader
torchvision.set_video_backend = lambda name: None
