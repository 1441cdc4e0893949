"""An arm to practise calibration on, without hardware."""
