"""What is known: architectures, ground truth, predictions, and the metrics over them.

Needs neither PyTorch nor Streamlit.
"""
