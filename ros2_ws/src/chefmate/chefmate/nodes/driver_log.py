"""What an operator is told about an arm driver as it happens."""

from rclpy.impl.rcutils_logger import RcutilsLogger

from chefmate_core.driver.arm_driver import ArmDriver
from chefmate_core.safety.health import Severity


class DriverLog:
    """Compares a driver with what was last said of it. One thread calls it."""

    def __init__(self, logger: RcutilsLogger) -> None:
        self._logger = logger
        self.forget()

    def forget(self) -> None:
        """Another driver begins."""
        self._losses = self._returns = 0
        self._severity = Severity.OK

    def tell(self, driver: ArmDriver) -> None:
        """Say what has changed."""
        self._tell_losses(driver)
        self._tell_health(driver)

    def _tell_losses(self, driver: ArmDriver) -> None:
        losses, returns = driver.counters['bus_lost'], driver.counters['bus_recovered']
        if losses > self._losses:
            self._logger.warning(
                'the arm is lost; servos that have power keep their last goal: '
                f'{driver.last_error}'
            )
        if returns > self._returns:
            self._logger.info('the arm is back')
        self._losses, self._returns = losses, returns

    def _tell_health(self, driver: ArmDriver) -> None:
        severity = driver.gate.health.severity
        if severity is self._severity:
            return
        self._severity = severity
        findings = '; '.join(map(str, driver.gate.health.findings()))
        if severity is Severity.OK:
            self._logger.info('health: all is well again')
        else:
            self._logger.warning(f'health, {severity.name.lower()}: {findings}')
