"""Plots of a recorded bag, as a picture or a page. docs/bag-plot.md."""
