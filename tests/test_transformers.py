import pytest
import torch
import torch.nn.functional as F

from innerlab.ensembles.transformers import Transformers, TransformerTraining, squared_error, train_transformers


def vectors(seeds=(3, 5), **sizes):
    return Transformers(seeds, **({"inputs": 4, "outputs": 1, "n_ctx": 6, "d_model": 8} | sizes))


def symbols(seeds=(3, 5)):
    return Transformers(seeds, inputs=7, outputs=7, n_ctx=6, d_model=8, symbols=True)


def random_tokens(model, batch=5, seed=0):
    g = torch.Generator().manual_seed(seed)
    shape = (model.networks, batch, model.n_ctx)
    if model.symbols:
        return torch.randint(model.inputs, shape, generator=g)
    return torch.randn(*shape, model.inputs, generator=g)


def running_sums(_, g, sequences):  # each target is the sum of the first numbers of all tokens so far
    tokens = torch.randn(sequences, 6, 4, generator=g)
    return tokens, tokens[..., 0].cumsum(1)


def copying(_, g, sequences):  # each target is the symbol before
    tokens = torch.randint(7, (sequences, 6), generator=g)
    return tokens, tokens.roll(1, 1)


def cross_entropy(outputs, targets):  # the first position has nothing before it
    each = F.cross_entropy(outputs[:, :, 1:].flatten(0, 2), targets[:, :, 1:].flatten(), reduction="none")
    return each.view(len(outputs), -1).mean(1)


@pytest.mark.parametrize("model", [vectors(), symbols()], ids=["vectors", "symbols"])
def test_a_later_token_changes_no_earlier_output(model):
    tokens = random_tokens(model)
    changed = tokens.clone()
    changed[:, :, 3] = random_tokens(model, seed=1)[:, :, 3]
    if model.symbols:  # a symbol drawn twice would prove nothing
        changed[:, :, 3] = (tokens[:, :, 3] + 1) % model.inputs
    with torch.no_grad():
        before, after = model(tokens), model(changed)
    torch.testing.assert_close(before[:, :, :3], after[:, :, :3])
    assert ((before - after)[:, :, 3:].abs().amax((1, 3)) > 1e-2).all()


@pytest.mark.parametrize("model", [vectors(), symbols()], ids=["vectors", "symbols"])
def test_a_shorter_sequence_gives_the_beginning_of_a_longer_one(model):
    tokens = random_tokens(model)
    with torch.no_grad():
        torch.testing.assert_close(model(tokens[:, :, :4]), model(tokens)[:, :, :4])


@pytest.mark.parametrize(
    ("draw", "model", "loss"), [(running_sums, vectors, squared_error), (copying, symbols, cross_entropy)]
)
def test_a_network_of_an_ensemble_is_the_network_trained_alone(draw, model, loss):
    settings = TransformerTraining(steps=25, batch_size=8, warmup_steps=5)
    together = train_transformers(model((3, 5, 8)).double(), _double(draw), settings, loss)[25]
    for i, seed in enumerate((3, 5, 8)):
        alone = train_transformers(model((seed,)).double(), _double(draw), settings, loss)[25]
        for one, all_of_them in zip(alone.parameters(), together.parameters(), strict=True):
            torch.testing.assert_close(one[0], all_of_them[i])


def _double(draw):
    def drawn(*arguments):
        return tuple(each.double() if each.is_floating_point() else each for each in draw(*arguments))

    return drawn


@pytest.mark.parametrize(
    ("draw", "model", "loss"), [(running_sums, vectors, squared_error), (copying, symbols, cross_entropy)]
)
def test_training_finds_what_only_attention_can(draw, model, loss):
    settings = TransformerTraining(steps=200, batch_size=32, learning_rate=2e-2, warmup_steps=20)
    kept = train_transformers(model(), draw, settings, loss, at=(0, 100))
    tokens, targets = (each[None].expand(2, *each.shape) for each in draw(0, torch.Generator().manual_seed(9), 200))
    with torch.no_grad():
        losses = {step: loss(one(tokens), targets) for step, one in kept.items()}
    assert sorted(losses) == [0, 100, 200]
    assert (losses[200] < 0.3 * losses[0]).all()
    assert (losses[200] < losses[100]).all()


def test_training_leaves_the_start_as_it_was():
    model = vectors()
    first = [p.clone() for p in model.parameters()]
    kept = train_transformers(model, running_sums, TransformerTraining(steps=3, batch_size=2), at=(0, 3))
    for p, was, copied, trained in zip(
        model.parameters(), first, kept[0].parameters(), kept[3].parameters(), strict=True
    ):
        assert torch.equal(p, was)
        assert torch.equal(copied, was)
        assert not torch.equal(trained, was)


def test_the_learning_rate_rises_and_falls():
    settings = TransformerTraining(steps=100, warmup_steps=10, learning_rate=0.1, min_lr_ratio=0.02)
    rates = [settings.schedule(step) for step in range(100)]
    assert rates[0] == pytest.approx(0.01)
    assert rates[:10] == sorted(rates[:10])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] == pytest.approx(0.002, rel=0.02)
    assert TransformerTraining(warmup_steps=0).schedule(0) == 5e-3


def test_the_residual_stream_is_what_is_read_out():
    model = vectors(n_layers=3)
    tokens = random_tokens(model)
    streams = model.residual_stream(tokens)
    assert [tuple(one.shape) for one in streams] == [(2, 5, 6, 8)] * 4
    last = streams[-1] / streams[-1].square().mean(-1, keepdim=True).sqrt()
    torch.testing.assert_close(model(tokens), torch.einsum("ebtw,ewo->ebto", last, model.unembed), atol=1e-4, rtol=1e-4)


def test_networks_may_share_their_tokens():
    model = vectors()
    tokens = random_tokens(model)[:1]
    torch.testing.assert_close(model(tokens), model(tokens.expand(2, -1, -1, -1)))
    shared = symbols()
    tokens = random_tokens(shared)[:1]
    torch.testing.assert_close(shared(tokens), shared(tokens.expand(2, -1, -1)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: vectors(seeds=()), "seeds is empty"),
        (lambda: vectors(seeds=(1, -2)), "seed is -2"),
        (lambda: vectors(d_model=0), "d_model is 0"),
        (lambda: vectors(n_layers=0), "n_layers is 0"),
        (lambda: vectors(n_heads=3), "n_heads is 3; it must divide d_model, 8"),
        (lambda: TransformerTraining(steps=0), "steps is 0"),
        (lambda: TransformerTraining(max_grad_norm=float("nan")), "max_grad_norm is nan"),
        (lambda: TransformerTraining(min_lr_ratio=2.0), "min_lr_ratio is 2.0"),
        (lambda: vectors()(torch.zeros(3, 5, 6, 4)), r"tokens has shape \(3, 5, 6, 4\).*2 networks"),
        (lambda: vectors()(torch.zeros(2, 5, 7, 4)), "at most 6 tokens"),
        (lambda: vectors()(torch.zeros(2, 5, 6, 3)), "4 numbers in each"),
        (lambda: vectors()(torch.zeros(2, 5, 6, dtype=torch.long)), "tokens are torch.int64"),
        (lambda: symbols()(torch.zeros(2, 5, 6)), "tokens are torch.float32"),
        (lambda: symbols()(torch.full((2, 5, 6), 7)), "tokens run from 7 to 7; 0 to 6"),
        (
            lambda: train_transformers(vectors(), running_sums, TransformerTraining(steps=2), at=(1, 3)),
            r"at is \(1, 3\)",
        ),
    ],
)
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
