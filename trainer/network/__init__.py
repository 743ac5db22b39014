"""The super-network: its modules, its paths, and faster forms of the same function."""
