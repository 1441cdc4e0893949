"""Data sets in the formats that the field uses: LeRobot v2.1 and v3.0, and GR00T's.

One model in memory (`model`), a reader and a writer for each format, operations as functions from
model to model (`edit`), and one way to write (`convert`). docs/datasets.md tells how to use it.
"""
