"""Mesa-optimizers: layers of attention that learn to take a gradient step."""
