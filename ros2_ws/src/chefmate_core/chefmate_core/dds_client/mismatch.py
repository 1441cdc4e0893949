"""Why two processes on one topic do not hear one another: the question that DDS never answers."""

import math

from cyclonedds.builtin import (
    BuiltinDataReader,
    BuiltinTopic,
    BuiltinTopicDcpsPublication,
    BuiltinTopicDcpsSubscription,
)
from cyclonedds.builtin_types import DcpsEndpoint
from cyclonedds.domain import DomainParticipant
from cyclonedds.qos import Policy, Qos

from chefmate_core.dds_client.naming import dds_topic, ros_type
from chefmate_core.dds_client.participant import Participant
from chefmate_core.dds_client.publisher import Publisher
from chefmate_core.dds_client.qos import qos
from chefmate_core.dds_client.subscription import Subscription

_MOST_ENDPOINTS = 10_000
_NO_DEADLINE_NS = (2**31 - 1) * 1_000_000_000  # infinity, as vendors write it, or more


def mismatches(dds: Participant) -> list[str]:
    """Return a line for each other end of our topics that cannot be connected, and why.

    Empty where all that is there is connected; an end that is not there is no mismatch.
    """
    if dds.entity is None:
        return []
    lines = []
    writers = _others(dds.entity, BuiltinTopicDcpsPublication)
    readers = _others(dds.entity, BuiltinTopicDcpsSubscription)
    for subscription in dds.subscriptions:
        for writer in writers:
            why = _why(subscription, writer, offered=writer.qos, requested=qos(subscription.row))
            if why:
                lines.append(f'{subscription.name}: a writer {why}')
    for publisher in dds.publishers:
        for reader in readers:
            why = _why(publisher, reader, offered=qos(publisher.row), requested=reader.qos)
            if why:
                lines.append(f'{publisher.name}: a reader {why}')
    return lines


def _others(entity: DomainParticipant, topic: BuiltinTopic) -> list[DcpsEndpoint]:
    """Return the writers or readers of other participants."""
    ours = entity.guid
    endpoints = BuiltinDataReader(entity, topic).read(_MOST_ENDPOINTS)
    return [
        end for end in endpoints if isinstance(end, DcpsEndpoint) and end.participant_key != ours
    ]


def _why(
    ours: Publisher | Subscription, other: DcpsEndpoint, *, offered: Qos, requested: Qos
) -> str:
    """Return why `ours` and `other` are not connected; empty where they are, or could be."""
    if other.topic_name != dds_topic(ours.name):
        return ''
    our_type = ros_type(ours.message_type.__idl_typename__.replace('.', '::'))
    if ros_type(other.type_name) != our_type:
        return f'has the type {ros_type(other.type_name)}, here it is {our_type}'
    if _reliable(requested) and not _reliable(offered):
        return 'and we disagree: best effort is offered, reliable requested'
    if _transient(requested) and not _transient(offered):
        return 'and we disagree: volatile is offered, transient local requested'
    if _deadline_ns(offered) > _deadline_ns(requested):
        return 'and we disagree: the deadline offered is longer than the one requested'
    return ''


def _reliable(quality: Qos) -> bool:
    return isinstance(quality[Policy.Reliability], Policy.Reliability.Reliable)


def _transient(quality: Qos) -> bool:
    return quality[Policy.Durability] is Policy.Durability.TransientLocal


def _deadline_ns(quality: Qos) -> float:
    deadline_ns = quality[Policy.Deadline].deadline if Policy.Deadline in quality else math.inf
    return math.inf if deadline_ns >= _NO_DEADLINE_NS else deadline_ns
