"""The command line `nasrank-train`: one file a group of commands, thin over the library."""
