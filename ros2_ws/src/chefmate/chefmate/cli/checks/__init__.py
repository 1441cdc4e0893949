"""What `chefmate doctor` looks at: small functions from a Machine to a Finding."""
