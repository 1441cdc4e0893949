"""How much one message may hold. Enough for four raw 1080p frames, little enough for any host."""

MESSAGE_BYTES = 32 << 20
FRAME_PIXELS = 3840 * 2160
DIMENSIONS = 6  # of an array
NPY_HEADER_BYTES = 1024
INSTRUCTION_CHARS = 2000
SAMPLES = 64  # of the noise
# A frame of 640x480 as lists in JSON is 0.9 million numbers; a list takes 60 times its bytes.
JSON_VALUES = 4_000_000
MSGPACK_ITEMS = 4096  # of one list or map; frames travel as bytes
MSGPACK_CONTAINERS = 1000
