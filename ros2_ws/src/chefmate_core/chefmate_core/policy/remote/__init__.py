"""Engines on other hosts: `make_engine('zmq://host:port')` and its kin.

zmq://host:port              GR00T's ZeroMQ servers, other people's and ChefMate's
http://host:port, https://   GR00T's HTTP servers, other people's and ChefMate's
chefmate://host:port         ChefMate's own protocol: compressed frames, deadlines, timings
"""

from chefmate_core.policy.remote.factory import SCHEMES, make_engine

__all__ = ['SCHEMES', 'make_engine']
