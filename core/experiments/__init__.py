"""Series of trainings, cross-validation, classical methods, and how they compare."""
