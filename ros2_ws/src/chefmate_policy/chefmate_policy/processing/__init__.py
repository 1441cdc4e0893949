"""From what a robot sees to what GR00T N1.5 takes, and back: data, one profile per origin."""
