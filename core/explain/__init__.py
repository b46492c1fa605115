"""Why a network answers as it does: attribution, activations, arithmetic step by step, the map of
the test set.
"""
