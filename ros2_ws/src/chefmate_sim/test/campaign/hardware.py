"""What may go wrong with the servos themselves while a driver runs."""

from hypothesis import strategies as st

from chefmate_core.joints import JOINT_COUNT
from chefmate_sim.virtual_bus.hardware import EncoderError, Heat, Sag, Stall

_joints = st.integers(0, JOINT_COUNT - 1)

hardware_faults = st.one_of(
    st.builds(Sag, to_v=st.floats(1.0, 6.5), for_s=st.floats(0.02, 2.0)),
    st.builds(Heat, index=_joints, to_c=st.floats(40.0, 90.0), rate_c_s=st.floats(5.0, 200.0)),
    st.builds(Stall, index=_joints),
    st.builds(
        EncoderError,
        index=_joints,
        jump_ticks=st.integers(-600, 600),
        probability=st.sampled_from([0.1, 0.5, 1.0]),
    ),
)
"""Anything that a servo can do wrong while it has its own id and settings."""
