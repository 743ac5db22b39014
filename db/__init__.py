"""What is known: architectures, ground truth, predictions, and the metrics over them."""
