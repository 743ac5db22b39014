"""The super-network engine: configuration, training, evaluation, and the folder a run leaves behind."""
