"""The three-dimensional picture: arm, twin, kitchen, planned path."""
