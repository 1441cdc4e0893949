"""The campaign's state machine: everything that may happen to a driver, in any order."""

from campaign.command_rules import CommandRules
from campaign.fault_rules import FaultRules
from campaign.request_rules import RequestRules


class Campaign(CommandRules, RequestRules, FaultRules):
    """All rules."""
