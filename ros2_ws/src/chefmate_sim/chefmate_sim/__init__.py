"""The simulated kitchen: MuJoCo world, virtual servo bus, rendered cameras, scripted expert."""
