"""The terminal's side of recording: keys, the live view, the recorder's services."""
