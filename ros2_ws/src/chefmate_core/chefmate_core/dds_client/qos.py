"""Rows of `chefmate_core.qos_table` as quality of service of cyclonedds."""

from cyclonedds.qos import Policy, Qos
from cyclonedds.util import duration

from chefmate_core.qos_table import Durability, QosRow, Reliability

# Has to be said, and has no effect: Cyclone DDS never makes a KEEP_LAST writer wait (measured with
# a reader that stood still: 60 pictures, 1 ms each).
_MAX_BLOCKING_S = 0.1
_UNLIMITED = -1


def qos(row: QosRow) -> Qos:
    """Return the quality of service of one row, for a writer or a reader."""
    policies = [
        Policy.History.KeepLast(row.depth),
        # What ROS 2 speaks. Left open, a type whose encodings differ could be sent in the newer.
        Policy.DataRepresentation(use_cdrv0_representation=True),
    ]
    if row.reliability is Reliability.RELIABLE:
        policies.append(Policy.Reliability.Reliable(duration(seconds=_MAX_BLOCKING_S)))
    else:
        policies.append(Policy.Reliability.BestEffort)
    if row.durability is Durability.TRANSIENT_LOCAL:
        policies += [
            Policy.Durability.TransientLocal,
            # What a late reader gets: by default one sample, however deep the history is.
            Policy.DurabilityService(
                cleanup_delay=0,
                history=Policy.History.KeepLast(row.depth),
                max_samples=_UNLIMITED,
                max_instances=_UNLIMITED,
                max_samples_per_instance=_UNLIMITED,
            ),
        ]
    else:
        policies.append(Policy.Durability.Volatile)
    if row.deadline_s is not None:
        policies.append(Policy.Deadline(duration(seconds=row.deadline_s)))
    return Qos(*policies)
