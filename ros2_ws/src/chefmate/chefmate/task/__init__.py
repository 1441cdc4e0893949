"""A task from the outside: when to begin, how it went, and the report of it."""
