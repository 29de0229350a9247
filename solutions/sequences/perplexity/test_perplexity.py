"""What perplexity has to get right."""

import pytest
import torch

from grader import agree


def same_perplexity(student, reference, rtol=1e-5, atol=1e-5):
    # exp makes a relative error of the mean loss's rounding: the default for float32 would be too narrow.
    return agree(student.perplexity, reference.perplexity, rtol=rtol, atol=atol)


def first_tokens(lengths, steps):
    """A mask over [B, T] that counts the first tokens of each sentence."""
    return torch.arange(steps) < torch.tensor(lengths)[:, None]


@pytest.mark.points(2)
@pytest.mark.parametrize("shape", [(2, 3, 5), (4, 2, 3), (1, 6, 4)], ids=["2x3", "4x2", "1x6"])
def test_values_and_gradients(student, reference, make, shape):
    *sentences, vocabulary = shape
    logits = make.randn(*shape, scale=1.5, requires_grad=True)
    same_perplexity(student, reference)(logits, make.tokens(vocabulary, *sentences))


@pytest.mark.points(2)
@pytest.mark.parametrize("counted", ["padding_at_the_end", "gaps"])
def test_only_the_mask_counts(student, reference, make, counted):
    mask = first_tokens([5, 2, 3], steps=5)
    if counted == "gaps":
        mask = mask.flip(0, 1) ^ make.tensor([[False, True, False, False, True]])
    same_perplexity(student, reference)(make.randn(3, 5, 4, requires_grad=True), make.tokens(4, 3, 5), mask)


def test_a_mask_of_numbers_counts_each_token_once(student, reference, make):
    logits, target = make.randn(2, 4, 3, requires_grad=True), make.tokens(3, 2, 4)
    for numbers in ([[2, -1, 0, 5], [1, 0, 0, 3]], [[1.0, 0.5, 0.0, 0.0], [1.0, 1.0, 1.0, 0.0]]):
        same_perplexity(student, reference)(logits, target, mask=make.tensor(numbers))


def test_who_knows_nothing_hesitates_among_the_whole_vocabulary(student, make):
    logits = make.randn(3, 4, 1).expand(3, 4, 7)
    answer = student.perplexity(logits, make.tokens(7, 3, 4))
    assert answer.shape == (), "the perplexity is one number, without dims"
    assert torch.allclose(answer, torch.tensor(7.0), rtol=1e-4), (
        "with the same logit for all 7 tokens, the model is as unsure as among 7: its perplexity is 7"
    )


@pytest.mark.points(2)
def test_large_logits_stay_finite(student, reference, make):
    target = make.tokens(4, 2, 3)
    sure = 1e4 * torch.nn.functional.one_hot(target, 4).float()
    same_perplexity(student, reference)(sure.requires_grad_(), target)
    levels = make.randn(2, 3, 4) + make.tensor([1e4, 0.0, -1e4])[:, None]
    # logsumexp(z) - z[t] is an honest way, and near 1e4 the logsumexp is rounded to a thousandth.
    same_perplexity(student, reference, rtol=3e-3, atol=3e-3)(levels.requires_grad_(), target)


def test_a_token_that_was_all_but_ruled_out_keeps_its_loss(student, reference, make):
    logits = make.randn(1, 5, 4)
    logits[..., 0] = 200.0
    # One loss near 200 among five: its probability is no number of float32, and exp(40) is one.
    same_perplexity(student, reference, rtol=1e-3, atol=1e-3)(
        logits.requires_grad_(), make.tensor([[0, 0, make.integer(1, 4), 0, 0]])
    )


def test_a_long_text_does_not_underflow(student, reference, make):
    logits = make.randn(1, 64, 16, requires_grad=True)
    same_perplexity(student, reference, rtol=1e-4, atol=1e-4)(logits, make.tokens(16, 1, 64))


def test_double_precision(student, reference, make):
    logits, target = make.randn(2, 3, 4, dtype=torch.float64, requires_grad=True), make.tokens(4, 2, 3)
    mask = make.tensor([[True, True, False], [True, False, False]])
    same_perplexity(student, reference, rtol=1e-10, atol=1e-12)(logits, target, mask)


def test_the_inputs_are_left_alone(student, reference, make):
    logits, target = make.randn(4, 2, 3).transpose(0, 1), make.noncontiguous(make.tokens(3, 2, 4))
    mask = make.noncontiguous(make.tensor([[1, 0, 1, 1], [0, 1, 0, 0]]))
    same_perplexity(student, reference)(logits, target, mask)
