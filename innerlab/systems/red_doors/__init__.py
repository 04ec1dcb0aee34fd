"""Agents that learn to reach a red door, as several chapters train them."""
