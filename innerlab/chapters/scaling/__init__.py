"""What a sweep costs: measuring seconds and calls against agents, rooms, cells and states."""
