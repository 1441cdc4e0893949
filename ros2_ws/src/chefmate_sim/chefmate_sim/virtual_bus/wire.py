"""The servos on their wire: who hears a request, who answers, and what arrives of it."""

import random
import time
from collections.abc import Callable

from chefmate_core.servo.protocol import (
    BROADCAST_ID,
    Frame,
    Instruction,
    PacketParser,
    packet,
)
from chefmate_sim.virtual_bus.collision import SAMPLES_PER_BIT, superimpose
from chefmate_sim.virtual_bus.faults import Faults
from chefmate_sim.virtual_bus.hardware import HardwareFaults
from chefmate_sim.virtual_bus.model import ServoArmModel
from chefmate_sim.virtual_bus.servo import VirtualServo

# Servos answer within a few microseconds of one another; a bit lasts one.
_LATEST_TWIN_SAMPLES = 8 * SAMPLES_PER_BIT


class ServoWire:
    """Hands requests to the servos and their replies to `send`, with what the faults make of them.

    Called by one thread at a time.
    """

    def __init__(
        self,
        servos: tuple[VirtualServo, ...],
        arm: ServoArmModel,
        faults: Faults,
        hardware: HardwareFaults,
        send: Callable[[bytes], None],
        clock: Callable[[], float],
        chance: random.Random,
    ) -> None:
        self.servos = servos
        self.faults = faults
        self.hardware = hardware
        self._arm = arm
        self._send = send
        self._clock = clock
        self._random = chance

    def answer(self, frame: Frame) -> None:
        """Let the servos that hear a request execute it; send what becomes of their replies."""
        if self.faults.strikes_requests:
            self._mishear(frame)
        else:
            self._reply(self._execute(frame, self._listening()))

    def protect(self) -> None:
        """Let the servos protect themselves; they do whether they are asked or not."""
        now_s = self._clock()
        loads = self._arm.load_fraction().tolist()
        for servo in self._listening():
            servo.protect(loads[servo.index], now_s)

    def _mishear(self, frame: Frame) -> None:
        """Let the servos hear what the faults leave of a request."""
        delay_s, on_wire = self.faults.apply_to_wire(_bytes_of(frame))
        time.sleep(delay_s)
        for heard in _frames_in(on_wire):
            request = _bytes_of(heard)
            listeners = self._listening()
            mishearing: list[tuple[VirtualServo, list[Frame]]] = []
            for servo in listeners:
                if _means(heard, servo.servo_id):
                    delay_s, in_ear = self.faults.apply_to_ear(servo.servo_id, request)
                    time.sleep(delay_s)
                    frames = _frames_in(in_ear)
                    if frames != [heard]:
                        mishearing.append((servo, frames))
            for servo, _ in mishearing:
                listeners.remove(servo)
            replies = self._execute(heard, listeners)
            for servo, frames in mishearing:
                for misheard in frames:
                    replies += self._execute(misheard, [servo])
            self._reply(replies)

    def _reply(self, replies: list[tuple[VirtualServo, bytes]]) -> None:
        if not replies:
            return
        if not self.faults.is_active and not self.hardware.is_active:
            self._send(b''.join([reply for _, reply in replies]))
            return
        for group in _simultaneous(replies):
            sent = b''
            for servo, reply in group:
                delay_s, bent = self.faults.apply(servo.servo_id, reply)
                time.sleep(delay_s)
                if not sent:
                    sent = bent
                elif bent:
                    late = self._random.randrange(1, _LATEST_TWIN_SAMPLES)
                    sent = superimpose(sent, bent, late)
            self._send(sent)

    def _execute(
        self, frame: Frame, listeners: list[VirtualServo]
    ) -> list[tuple[VirtualServo, bytes]]:
        """Let those who hear a request execute it; return their replies in order."""
        code, target = frame.code, frame.servo_id
        if code == Instruction.SYNC_READ and target == BROADCAST_ID:
            return self._sync_read(frame.parameters, listeners)
        if code == Instruction.SYNC_WRITE and target == BROADCAST_ID:
            self._sync_write(frame.parameters, listeners)
            return []
        is_broadcast = target == BROADCAST_ID
        if not is_broadcast:
            listeners = _with_id(target, listeners)
        if code in (Instruction.READ, Instruction.PING):
            self._measure(listeners)
        replies = []
        for servo in listeners:
            reply = servo.execute(frame)
            # Only a broadcast ping is answered by everyone.
            if reply is not None and (not is_broadcast or code == Instruction.PING):
                replies.append((servo, reply))
        return replies

    def _sync_read(
        self, parameters: bytes, listeners: list[VirtualServo]
    ) -> list[tuple[VirtualServo, bytes]]:
        if len(parameters) < 3 or parameters[1] == 0:
            return []
        address, size = parameters[0], parameters[1]
        servos = [servo for servo_id in parameters[2:] for servo in _with_id(servo_id, listeners)]
        self._measure(servos)
        return [(servo, servo.reply(servo.memory.read(address, size))) for servo in servos]

    def _sync_write(self, parameters: bytes, listeners: list[VirtualServo]) -> None:
        if len(parameters) < 2 or parameters[1] == 0:
            return
        address, size = parameters[0], parameters[1]
        for start in range(2, len(parameters) - size, 1 + size):
            for servo in _with_id(parameters[start], listeners):
                servo.write(address, parameters[start + 1 : start + 1 + size])

    def _measure(self, servos: list[VirtualServo]) -> None:
        if not servos:
            return
        now_s = self._clock()
        positions = self._arm.position_rad().tolist()
        velocities = self._arm.velocity_rad_s().tolist()
        loads = self._arm.load_fraction().tolist()
        for servo in servos:
            index = servo.index
            servo.protect(loads[index], now_s)
            servo.measure(positions[index], velocities[index], loads[index])

    def _listening(self) -> list[VirtualServo]:
        if not self.faults.is_active and not self.hardware.is_active:
            return list(self.servos)
        return [
            servo
            for servo in self.servos
            if servo.is_powered and not self.faults.is_dead(servo.servo_id)
        ]


def _with_id(servo_id: int, servos: list[VirtualServo]) -> list[VirtualServo]:
    return [servo for servo in servos if servo.servo_id == servo_id]


def _simultaneous(
    replies: list[tuple[VirtualServo, bytes]],
) -> list[list[tuple[VirtualServo, bytes]]]:
    """Return the replies in order, those that collide together: of different servos of one id."""
    groups: list[list[tuple[VirtualServo, bytes]]] = []
    for servo, reply in replies:
        last = groups[-1] if groups else []
        collides = bool(last) and last[0][0].servo_id == servo.servo_id
        if collides and all(other is not servo for other, _ in last):
            last.append((servo, reply))
        else:
            groups.append([(servo, reply)])
    return groups


def _means(frame: Frame, servo_id: int) -> bool:
    """Whether a request wants something of this servo."""
    if frame.servo_id != BROADCAST_ID:
        return frame.servo_id == servo_id
    parameters = frame.parameters
    if frame.code == Instruction.SYNC_READ:
        return servo_id in parameters[2:]
    if frame.code == Instruction.SYNC_WRITE and len(parameters) > 1:
        return servo_id in parameters[2 :: 1 + parameters[1]]
    return True


def _bytes_of(frame: Frame) -> bytes:
    return packet(frame.servo_id, frame.code, frame.parameters)


def _frames_in(data: bytes) -> list[Frame]:
    # Assumed: a servo gives up an unfinished packet when the line falls silent, so that the rest
    # of a broken request does not swallow the beginning of the next.
    parser = PacketParser()
    return parser.feed(data) + parser.finish()
