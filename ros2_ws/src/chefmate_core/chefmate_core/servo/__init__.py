"""Feetech STS3215 servos on one serial bus: registers, packets, port, bus, arm."""
