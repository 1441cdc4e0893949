"""Teleoperation without ROS: a leader arm or a keyboard in, joint commands of the follower out."""
