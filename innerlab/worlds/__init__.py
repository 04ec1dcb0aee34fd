"""Small worlds as tables: many episodes are stepped at once, by look-up.

``gridworld``  any gridworld as tables, with two rewards: what the agent is trained on and what its designer intends
``layouts``    gridworlds written as text
``layout_figures``  the same drawn
``red_doors``  rooms with a red door and things that resemble it
``mazes``      the same in mazes
``scents``     what an agent smells in a maze
``shifts``     tables shifted by a move
``environments``  the worlds for Gymnasium, an extra
"""
