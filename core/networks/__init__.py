"""Networks as lists of layers, and as Keras builds, saves and exports them."""
