"""The front page: two ensembles walk where two things trade colors."""
