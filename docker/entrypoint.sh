#!/bin/bash
# Run a command with ROS 2 and ChefMate in its environment.
source /opt/ros/jazzy/setup.bash
source /chefmate/ros2_ws/env.sh
exec "$@"
