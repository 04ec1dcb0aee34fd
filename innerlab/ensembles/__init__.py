"""Many independent networks computed as one batch: what all share, policies, and transformers."""
