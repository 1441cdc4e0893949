"""GPU policies behind the policy protocol."""
