"""Garments drawn by the computer: for the offline sample, and as shapes for drawn pictures."""
