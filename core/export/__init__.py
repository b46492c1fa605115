"""Runs handed on: an archive, and the card of a network."""
