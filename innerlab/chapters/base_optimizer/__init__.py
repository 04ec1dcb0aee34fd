"""The base optimizer: assistants that are taught by games of attack."""
