"""What an arm driver says about its health."""

from chefmate_core.diagnosis import Diagnosis, Level
from chefmate_core.driver.arm_driver import ArmDriver, DriverState
from chefmate_core.joints import JOINT_NAMES
from chefmate_core.safety.gate import Mode
from chefmate_core.safety.health import Severity
from chefmate_core.servo.readings import ArmHealth
from chefmate_core.servo.registers import status_names

STANDING_S = 0.5  # a loop that has not begun a cycle for so long does not run


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
    values |= driver.realtime.as_dict()
    if driver.garbage.in_charge:
        values |= driver.garbage.statistics()
    findings = driver.gate.health.findings()
    values['health'] = driver.gate.health.severity.name.lower()
    values['findings'] = '; '.join(map(str, findings))
    if driver.health is not None:
        values |= _health_values(driver.health)
    if driver.state is DriverState.FAILED:
        return Diagnosis(Level.ERROR, f'the loop has ended: {driver.last_error}', values)
    if not driver.stands_since_s() <= STANDING_S:
        stood_s = driver.stands_since_s()
        return Diagnosis(Level.ERROR, f'the loop has stood for {stood_s:.1f} s', values)
    if driver.state is DriverState.LOST:
        return Diagnosis(Level.ERROR, f'bus lost, trying again: {driver.last_error}', values)
    if driver.estopped:
        return Diagnosis(Level.ERROR, f'emergency stop is latched: {driver.stop_reason}', values)
    if driver.state is not DriverState.DRIVING:
        if driver.is_limp:
            return Diagnosis(Level.OK, f'{driver.state}, torque off', values)
        return Diagnosis(Level.WARN, f'{driver.state}, torque may be on', values)
    if driver.is_paused:
        return Diagnosis(Level.WARN, 'a joint is silent: the arm stands until it answers', values)
    worrying = [str(finding) for finding in findings if finding.severity is not Severity.OK]
    if worrying:
        return Diagnosis(Level.WARN, '; '.join(worrying), values)
    if driver.gate.mode is Mode.HOLDING:
        return Diagnosis(Level.OK, 'holding: no command in force', values)
    return Diagnosis(Level.OK, f'{driver.gate.mode} {driver.gate.source}', values)


def _health_values(health: ArmHealth) -> dict[str, object]:
    values: dict[str, object] = {}
    for index, name in enumerate(JOINT_NAMES):
        values[f'{name}_temperature_c'] = float(health.temperature_c[index])
        values[f'{name}_voltage_v'] = float(health.voltage_v[index])
        values[f'{name}_load'] = float(health.load_fraction[index])
        values[f'{name}_current_a'] = float(health.current_ma[index]) / 1e3
        values[f'{name}_status'] = ' '.join(status_names(int(health.status_bits[index]))) or 'ok'
    return values
