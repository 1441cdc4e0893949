"""Counters of a servo bus. They only grow, from the first open to the last close."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields


@dataclass
class BusStatistics:
    """What was sent, what came back, and everything that went wrong, one counter per kind."""

    requests: int = 0  # packets that ask for an answer, retries included
    writes: int = 0  # packets that ask for none
    replies: int = 0  # good replies
    retries: int = 0  # requests that repeat an earlier one for the ids that were missing
    timeouts: int = 0  # waits that ended before every reply was there
    checksum_errors: int = 0
    garbage_bytes: int = 0  # bytes that belong to no packet
    unexpected_replies: int = 0  # whole packets of the wrong servo or size, echoes, duplicates
    stale_bytes: int = 0  # arrived after their request had been given up
    implausible_values: int = 0  # a reply whose position no encoder can have
    status_errors: int = 0  # replies with a bit set in their error byte
    port_losses: int = 0
    reconnects: int = 0
    missed_by_id: dict[int, int] = field(default_factory=dict)  # reads without data, after retries

    def missed(self, servo_id: int) -> None:
        """Count a read that left this servo without data."""
        self.missed_by_id[servo_id] = self.missed_by_id.get(servo_id, 0) + 1

    def as_dict(self, servo_ids: Sequence[int] = ()) -> dict[str, int]:
        """Return all counters, flat, for diagnostics; `servo_ids` are listed even when 0."""
        counters = {
            entry.name: getattr(self, entry.name)
            for entry in fields(self)
            if entry.name != 'missed_by_id'
        }
        for servo_id in sorted({*servo_ids, *self.missed_by_id}):
            counters[f'missed_by_servo_{servo_id}'] = self.missed_by_id.get(servo_id, 0)
        return counters
