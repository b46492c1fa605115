"""Garments drawn by the computer: the offline sample, and the shapes of drawn pictures."""
