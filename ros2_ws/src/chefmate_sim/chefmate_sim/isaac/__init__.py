"""The kitchen for Isaac Sim: USD written with usd-core from the one description, and a graph."""
