"""How fast, how large and how exact GR00T N1.5 is on this machine, by every way to run it."""
