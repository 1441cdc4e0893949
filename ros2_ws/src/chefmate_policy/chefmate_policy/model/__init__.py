"""GR00T N1.5 in PyTorch: Eagle backbone, DiT action head, flow matching."""
