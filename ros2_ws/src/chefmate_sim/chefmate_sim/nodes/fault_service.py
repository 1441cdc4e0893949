"""Both ends of the service `kitchen/faults`: faults of simulated arms as lines of text."""

import os
from collections.abc import Mapping, Sequence

import rclpy
from rclpy.node import Node

from chefmate_core.errors import ChefMateError, ConfigurationError
from chefmate_msgs.srv import InjectFaults
from chefmate_sim.virtual_bus.bus import VirtualServoBus
from chefmate_sim.virtual_bus.script import in_force, inject

SERVICE = 'kitchen/faults'
FIND_S, ANSWER_S = 10.0, 5.0


class FaultServiceError(ChefMateError):
    """No kitchen took the faults."""


class FaultService:
    """Offers the service on a node, for virtual buses by the name of their arm."""

    def __init__(self, node: Node, buses: Mapping[str, VirtualServoBus]) -> None:
        self._buses = buses
        self._logger = node.get_logger()
        node.create_service(InjectFaults, SERVICE, self._on_request)

    def _on_request(
        self, request: InjectFaults.Request, response: InjectFaults.Response
    ) -> InjectFaults.Response:
        bus = self._buses.get(request.arm)
        if bus is None:
            response.message = (
                f'this kitchen has no virtual arm {request.arm!r}; it has '
                f'{", ".join(self._buses) or "none"}'
            )
            return response
        try:
            inject(bus, *request.lines)
            response.success = True
        except ConfigurationError as error:
            response.message = str(error)
        response.in_force = in_force(bus)
        for line in request.lines if response.success else ():
            self._logger.warning(f'{request.arm}: {line}')
        return response


def send_faults(arm: str, lines: Sequence[str]) -> list[str]:
    """Send lines to the kitchen of this ROS domain; return those in force afterwards.

    Raises:
        ConfigurationError: a line is wrong, or the kitchen has no such arm; nothing was changed.
        FaultServiceError: no kitchen runs, or it does not answer.
    """
    rclpy.init(args=[])
    try:
        node = rclpy.create_node('faults')
        client = node.create_client(InjectFaults, SERVICE)
        domain = os.environ.get('ROS_DOMAIN_ID', '0')
        if not client.wait_for_service(FIND_S):
            raise FaultServiceError(
                f'no kitchen offers /{SERVICE} in ROS_DOMAIN_ID={domain} within {FIND_S:g} s. '
                'Next: start a simulation (chefmate deploy), or use its ROS_DOMAIN_ID. A real arm '
                'has no faults to switch on'
            )
        future = client.call_async(InjectFaults.Request(arm=arm, lines=list(lines)))
        rclpy.spin_until_future_complete(node, future, timeout_sec=ANSWER_S)
        if not future.done():
            raise FaultServiceError(
                f'the kitchen in ROS_DOMAIN_ID={domain} did not answer within {ANSWER_S:g} s. '
                'Next: look at what kitchen_node says'
            )
        answer = future.result()
    finally:
        rclpy.try_shutdown()
    if not answer.success:
        raise ConfigurationError(answer.message)
    return list(answer.in_force)
