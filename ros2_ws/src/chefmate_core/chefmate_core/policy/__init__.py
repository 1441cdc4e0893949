"""What a policy is, and how one is found by name."""
