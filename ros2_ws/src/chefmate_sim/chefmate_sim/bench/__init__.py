"""What ChefMate's servo bus and driver take and give on this machine: bus, loop, recovery.

Every bench runs the real code over a pseudo-terminal whose other end, the virtual servos, lives in
a process of its own, and returns plain numbers for JSON and a table.
"""
