"""What Misclassified and Confusion matrix show of a run's answers."""
