"""The wings: what one chapter alone uses, a folder each. A wing imports foundations and never another wing."""
