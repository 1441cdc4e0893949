"""An arm and its twin in a simulator: names, units, errors, latency; free of ROS."""
