"""What every node needs of rclpy: start and end, QoS, parameters, messages, diagnostics.

`chefmate` and `chefmate_sim` may not import one another; what their nodes share is here.
"""
