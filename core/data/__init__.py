"""Fashion-MNIST and the offline sample: found, read whole, split."""
