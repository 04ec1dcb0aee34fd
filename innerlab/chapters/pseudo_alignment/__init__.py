"""Pseudo-alignment: agents that learn to reach a red door, which then turns blue."""
