"""The views of Network: layers, feature maps, arithmetic, map, learning."""
