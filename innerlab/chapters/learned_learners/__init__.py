"""Learned learners: when training puts a second learner inside a network."""
