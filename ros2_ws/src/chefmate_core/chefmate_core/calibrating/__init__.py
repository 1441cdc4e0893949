"""Calibrate an arm by hand, find servos, give them ids. No console input: front ends drive it."""
