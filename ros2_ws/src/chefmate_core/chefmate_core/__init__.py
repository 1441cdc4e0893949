"""The ROS-free heart of ChefMate.

May import numpy, pyserial, feetech-servo-sdk and pyyaml; never rclpy, torch or mujoco
(`tests/test_layering.py` proves it).
"""
