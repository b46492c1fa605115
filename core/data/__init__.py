"""Fashion-MNIST and the offline sample: found, downloaded, read and split."""
