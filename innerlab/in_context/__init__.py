"""Regression inside a prompt: networks that learn it, and the predictors to hold them against.

A *prompt* is a context of ``n`` examples, each of ``d`` inputs and a label, followed by a query: an input whose label
is to be predicted. The *task* behind the labels, a weight vector, is another one in every prompt. Losses are mean
squared errors without a factor of ½; gradients are averaged over the context.
"""

from innerlab.in_context.closed_forms import objective_weights, one_step_gd
from innerlab.in_context.linear_attention import (
    Layers,
    LinearAttention,
    LinearAttentionTraining,
    join,
    step_layers,
    train_linear_attention,
    train_two_channels,
)
from innerlab.in_context.predictors import dmmse, ridge
from innerlab.in_context.tasks import InContextRegression, Prompts, TwoChannels

__all__ = [
    "InContextRegression",
    "Layers",
    "LinearAttention",
    "LinearAttentionTraining",
    "Prompts",
    "TwoChannels",
    "dmmse",
    "join",
    "objective_weights",
    "one_step_gd",
    "ridge",
    "step_layers",
    "train_linear_attention",
    "train_two_channels",
]
