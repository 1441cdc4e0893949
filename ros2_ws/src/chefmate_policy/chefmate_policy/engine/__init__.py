"""Runs GR00T N1.5: one object, observation -> chunk and timings."""
