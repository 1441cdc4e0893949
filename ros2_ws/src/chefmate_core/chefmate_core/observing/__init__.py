"""What turns messages into what a policy sees: one code for the live arm and for recordings.

docs/decisions/0019-one-decoding.md says which functions these are, and who calls them.
"""
