"""Predicting the accuracy of architectures with a trained super-network."""
