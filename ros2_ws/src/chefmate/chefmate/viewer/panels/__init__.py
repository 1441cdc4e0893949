"""The panels beside the picture: status, task, cameras, plots, parts."""
