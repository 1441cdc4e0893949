"""What an arm driver says about its health."""

from chefmate_core.diagnosis import Diagnosis, Level
from chefmate_core.driver.arm_driver import ArmDriver, DriverState
from chefmate_core.joints import JOINT_NAMES
from chefmate_core.safety.gate import Mode


def diagnose(driver: ArmDriver) -> Diagnosis:
    """Return one Diagnosis over loop, gate, bus and servos."""
    values: dict[str, object] = {
        'state': driver.state,
        'gate_mode': driver.gate.mode,
        'source': driver.gate.source or '',
        'estop': driver.estopped,
        **driver.ticker.statistics(),
    }
    values |= {f'gate_{name}': count for name, count in sorted(driver.gate.counters.items())}
    values |= {f'bus_{name}': count for name, count in driver.arm.statistics.as_dict().items()}
    values |= dict(driver.counters)
    if driver.health is not None:
        for name, temperature, voltage, load in zip(
            JOINT_NAMES,
            driver.health.temperature_c,
            driver.health.voltage_v,
            driver.health.load_fraction,
            strict=True,
        ):
            values[f'{name}_temperature_c'] = float(temperature)
            values[f'{name}_voltage_v'] = float(voltage)
            values[f'{name}_load'] = float(load)
    if driver.state is DriverState.FAILED:
        return Diagnosis(Level.ERROR, f'the loop has ended: {driver.last_error}', values)
    if driver.state is DriverState.LOST:
        return Diagnosis(Level.ERROR, f'bus lost, trying again: {driver.last_error}', values)
    if driver.estopped:
        return Diagnosis(Level.ERROR, 'emergency stop is latched', values)
    if driver.state is not DriverState.DRIVING:
        return Diagnosis(Level.OK, f'{driver.state}, torque off', values)
    if driver.gate.mode is Mode.HOLDING:
        return Diagnosis(Level.OK, 'holding: no command in force', values)
    return Diagnosis(Level.OK, f'{driver.gate.mode} {driver.gate.source}', values)
