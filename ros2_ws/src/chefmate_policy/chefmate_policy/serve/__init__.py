"""Servers over one engine: GR00T's two protocols, ChefMate's own, health and metrics.

Nothing here knows torch: an engine is whatever `chefmate_core.policy.engine` describes.
"""
