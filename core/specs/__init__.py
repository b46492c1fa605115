"""What a training is asked to do: specs, presets, and the figures that reports published."""
