"""Recording sessions: folders of rosbag2 episodes, read without ROS.

`open_session(path)` returns a `RecordingSource`, which `chefmate_core.dataset` writes as a data
set. docs/recording.md has the layout of the folder.
"""

from chefmate_core.session_reader.session import Session, SessionEpisode, open_session

__all__ = ['Session', 'SessionEpisode', 'open_session']
