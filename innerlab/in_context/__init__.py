"""Networks that learn from the examples in front of them: linear regression in a context.

Losses are mean squared errors without a factor of ½; gradients are averaged over the context.
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
from innerlab.in_context.tasks import Episodes, InContextRegression, TwoChannels

__all__ = [
    "Episodes",
    "InContextRegression",
    "Layers",
    "LinearAttention",
    "LinearAttentionTraining",
    "TwoChannels",
    "join",
    "objective_weights",
    "one_step_gd",
    "step_layers",
    "train_linear_attention",
    "train_two_channels",
]
