"""The predictions of a run, as Misclassified and Confusion matrix show them."""
