"""What a policy's client and its server say: bytes on one side, `ModelInput` on the other.

Both sides use these codecs: the servers of `chefmate_policy`, the clients of `policy.remote`.
Every size is checked before anything of that size is allocated.
"""
