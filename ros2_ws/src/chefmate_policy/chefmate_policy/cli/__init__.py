"""What `chefmate_policy` adds to the `chefmate` command."""
