"""The gate, fed with hostile commands and uneven cycles by hypothesis."""

import contextlib
import itertools
import math

import numpy as np
from gate_bench import CONFIG, PERIOD_S, Bench, assert_within_caps, telemetry
from hypothesis import given, settings
from hypothesis import strategies as st

from chefmate_core.joints import LOWER_LIMITS_RAD, UPPER_LIMITS_RAD
from chefmate_core.safety.gate import Mode
from chefmate_core.safety.health import StopPersistsError

hostile_values = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True), st.floats(-2.0, 2.0), st.just(1e300)
)
actions = st.one_of(
    st.tuples(
        st.just('send'),
        st.lists(hostile_values, min_size=6, max_size=6),
        st.sampled_from(['policy', 'teleop']),
        st.floats(-0.3, 0.3),
    ),
    st.tuples(st.just('stream'), st.lists(st.floats(-1.5, 1.5), min_size=6, max_size=6)),
    st.tuples(st.just('step'), st.integers(1, 40)),
    st.tuples(st.just('sense'), st.sampled_from([0.0, 0.2, -0.3, math.nan, math.inf])),
    st.tuples(
        st.just('health'),
        st.sampled_from(
            [
                telemetry(),
                telemetry(arm_load=0.75),
                telemetry(gripper_load=-0.5),
                telemetry(temperature_c=61.0),
                telemetry(temperature_c=66.0),
                telemetry(temperature_c=math.nan),
                None,
            ]
        ),
    ),
    st.tuples(st.just('estop')),
    st.tuples(st.just('release')),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(actions, max_size=30), st.floats(-0.15, 1.5))
def test_whatever_is_commanded_setpoints_stay_finite_inside_the_limits_and_within_the_caps(
    sequence, start
):
    bench = Bench(start)
    for kind, *arguments in sequence:
        if kind == 'send':
            bench.send(arguments[0], source=arguments[1], age_s=arguments[2])
        elif kind == 'stream':
            bench.stream(lambda t, goal=arguments[0]: goal, 0.3)
        elif kind == 'step':
            bench.step(arguments[0])
        elif kind == 'sense':
            bench.sag_rad = arguments[0]
        elif kind == 'health':
            bench.health = arguments[0]
        elif kind == 'estop':
            bench.gate.engage_estop()
        elif bench.gate.mode is Mode.ESTOPPED:
            with contextlib.suppress(StopPersistsError):
                bench.gate.release_estop()  # also while it still brakes
    positions = np.array(bench.trace)
    assert np.all(np.isfinite(positions))
    assert np.all(positions >= LOWER_LIMITS_RAD + CONFIG.limit_margin_rad - 1e-12)
    assert np.all(positions <= UPPER_LIMITS_RAD - CONFIG.limit_margin_rad + 1e-12)
    if len(bench.trace) > 1:
        assert_within_caps(bench.trace)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0.001, 0.0299), min_size=30, max_size=120))
def test_uneven_steps_break_no_cap_at_the_limits(periods_s):
    bench = Bench(start=1.2)
    bench.stream(lambda t: [1.25] * 6, 0.4)
    velocity_before = bench.gate.step(bench.position, bench.now_s).velocity_rad_s
    for last_s, period_s in itertools.pairwise([PERIOD_S, *periods_s]):
        bench.send([1.8] * 6)
        setpoint = bench.step(period_s=period_s)
        change = np.abs(setpoint.velocity_rad_s - velocity_before)
        # Each velocity is the mean over its step: between their middles the cap holds.
        apart_s = 0.5 * (last_s + period_s)
        assert np.all(change <= CONFIG.max_acceleration_rad_s2 * apart_s + 1e-9)
        assert np.all(setpoint.position_rad <= UPPER_LIMITS_RAD - CONFIG.limit_margin_rad + 1e-12)
        velocity_before = setpoint.velocity_rad_s
