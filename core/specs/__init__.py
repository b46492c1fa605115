"""What is to be trained: the spec of a training, presets, and what reports published for them."""
