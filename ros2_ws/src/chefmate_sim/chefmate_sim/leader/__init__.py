"""A simulated person: the hand on a virtual leader arm, and a script of what it does."""
