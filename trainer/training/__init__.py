"""Training a super-network, resumable at any step."""
