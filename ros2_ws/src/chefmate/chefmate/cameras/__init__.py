"""Frame sources that need OpenCV: V4L2 cameras and video files."""

import os

# OpenCV reads both when it is imported, so import it after this package.
# How long it waits for a camera's frame, s: its own 10 s would delay the reconnection of one that
# hangs. Its warnings say less than our errors, and would stand beside them.
os.environ.setdefault('OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT', '1')
os.environ.setdefault('OPENCV_LOG_LEVEL', 'ERROR')
