"""The control loop of one arm: bus, gate and clock, free of ROS."""
