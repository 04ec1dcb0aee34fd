"""Detection: assistants with a back door, and how one would find it."""
