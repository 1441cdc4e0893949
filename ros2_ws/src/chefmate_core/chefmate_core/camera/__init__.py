"""Cameras without ROS and without OpenCV: frames, sources, health and geometry."""
