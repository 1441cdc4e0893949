"""Recording episodes as rosbag2 folders: writing, reporting, repairing.

Free of ROS: messages come as the serialised bytes that went over the wire. docs/recording.md tells
how a session's folder looks.
"""
