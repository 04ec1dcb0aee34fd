"""Deceptive alignment: when it pays to play along, solved, learned and planned."""
