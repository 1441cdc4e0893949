"""ROS 2 nodes, launch files, configuration and the `chefmate` command."""
