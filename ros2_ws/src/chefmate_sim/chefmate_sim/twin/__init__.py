"""MuJoCo in Isaac Sim's place: the same topics, with the faults that a twin can have."""
