"""ROS 2 topics for processes that cannot hold ROS: messages and services of cyclonedds alone.

    with Participant() as dds:
        states = dds.publisher('isaac_joint_states', JointState, qos_table.STATE)
        states.publish(JointState(header(), ['Jaw'], [0.5]))

Needs chefmate_core on the path, and the packages cyclonedds and numpy: docs/dds-client.md.
"""
