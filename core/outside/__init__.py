"""Pictures from outside the data set: where they come from, what training learns from them, how
well a network does on them.
"""
