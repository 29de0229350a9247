"""Perplexity of a language model over a batch of token sequences."""

import torch


def perplexity(logits: torch.Tensor, target: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
    r"""Tell among how many tokens, all equally likely, the model would be as unsure as it was on this text.

    With p(b, t) = softmax(logits[b, t])[target[b, t]] and the sums over the n tokens that count:

        perplexity = exp( -(1/n) * sum log p(b, t) )

    which is the geometric mean of 1/p.

    Args:
        logits: [B, T, V], the scores of the V tokens of the vocabulary at each position, finite; float32 or
            float64.
        target: [B, T], int64, the token that the text has at each position, in 0..V-1 (where it does not
            count, too).
        mask: [B, T], bool or of any numeric dtype: a token counts where the mask is True or not 0, and it
            counts once, whatever the number. None: all tokens count.

    Returns:
        A tensor without dims, of the logits' dtype, with a graph back to the logits.

    Conventions:
        logits[b, t] are already the model's answer about target[b, t]: nothing is shifted here. All tokens
        of the batch weigh the same: there is one mean over the tokens of all sequences, and exp is taken
        once, of that mean. The logarithm is the natural one. Logits of any size, at 1e4 and at -1e4, and
        long texts are right as long as the perplexity itself is a finite number; where it is not, nothing
        is asked for, nor for a mask that counts nothing. The logits of a token that does not count get the
        gradient 0. No input is changed, and none need be contiguous.

    Not allowed:
        Nothing is ruled out: `torch.nn.functional.cross_entropy` and its kin may be used.

    >>> know_nothing = torch.zeros(1, 3, 5)
    >>> perplexity(know_nothing, torch.tensor([[4, 0, 2]]))
    tensor(5.)
    >>> sure_of_token_0 = torch.tensor([[[1000.0, 0.0], [1000.0, 0.0]]])
    >>> perplexity(sure_of_token_0, torch.tensor([[0, 1]]), mask=torch.tensor([[True, False]]))
    tensor(1.)
    """
    raise NotImplementedError("perplexity is not written yet")
