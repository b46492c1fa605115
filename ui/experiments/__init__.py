"""Sweeps, cross-validation, comparisons and the gradient check."""
