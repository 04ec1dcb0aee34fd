"""Marking a class: ``python run.py grade SUBMITTED --out DIR``.

Nothing that a student has written runs where it could do harm, and nothing that ran decides about points: answers are
asked for values on new inputs, the same for everyone, and only plain data come back to the judges. The modules,
foundations first:

``submissions``  what was handed in
``calls``        what answers may not ask the kernel for
``confinement``  where answers run
``marks``        from a submission to its marks
``tables``       the marks as tables
``pages``        the marks as pages
``gradebook``    nbgrader's gradebook
``command``      the command
"""
