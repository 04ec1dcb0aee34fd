"""Exercises as learners and teachers get them.

``release``  makes an exercise notebook from the solution notebook that is its one source
``folder``   the learner's own folder: what is new in it, what is solved
``course``   a course folder for nbgrader
"""
