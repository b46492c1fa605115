"""Pictures from outside the data set: where they come from, what a training learns from them, how
well a network does on them.
"""
