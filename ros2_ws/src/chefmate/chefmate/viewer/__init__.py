"""The page in the browser: what is served, drawn and offered; `nodes/viewer_node.py` runs it.

Everything here is free of ROS: a page takes `Feeds`, and asks for what a button means through
`Actions`.
"""
