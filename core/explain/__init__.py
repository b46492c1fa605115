"""Why a network answers as it does: attribution, activations, the arithmetic step by step, and the
map of the test set.
"""
