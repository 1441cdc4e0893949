"""What `chefmate calibrate` shows and asks; the work is done by `chefmate_core.calibrating`."""
