"""Mistakes in perplexity; what stands above the first separator belongs to each of them."""

# ruff: noqa: F811

import torch
from torch.nn import functional


def losses(logits, target):
    log_p = torch.log_softmax(logits, -1)
    return -log_p.gather(-1, target.unsqueeze(-1)).squeeze(-1)


def counted(target, mask):
    return torch.ones_like(target, dtype=torch.bool) if mask is None else mask != 0


# --- exp of each token, then the mean


def perplexity(logits, target, mask=None):
    return losses(logits, target).exp()[counted(target, mask)].mean()


# --- a mean for each sequence, then their mean


def perplexity(logits, target, mask=None):
    m = counted(target, mask).to(logits.dtype)
    per_row = (losses(logits, target) * m).sum(1) / m.sum(1).clamp(min=1)
    return per_row.mean().exp()


# --- a perplexity for each sequence, then their mean


def perplexity(logits, target, mask=None):
    m = counted(target, mask).to(logits.dtype)
    per_row = (losses(logits, target) * m).sum(1) / m.sum(1).clamp(min=1)
    return per_row.exp().mean()


# --- a perplexity for each sequence


def perplexity(logits, target, mask=None):
    m = counted(target, mask).to(logits.dtype)
    return ((losses(logits, target) * m).sum(1) / m.sum(1).clamp(min=1)).exp()


# --- two to the power of nats


def perplexity(logits, target, mask=None):
    return torch.exp2(losses(logits, target)[counted(target, mask)].mean())


# --- e to the power of bits


def perplexity(logits, target, mask=None):
    nats = losses(logits, target)[counted(target, mask)].mean()
    return torch.exp(nats / torch.log(torch.tensor(2.0, dtype=logits.dtype)))


# --- the mask is ignored


def perplexity(logits, target, mask=None):
    return losses(logits, target).mean().exp()


# --- the mask's numbers weigh


def perplexity(logits, target, mask=None):
    m = torch.ones_like(target) if mask is None else mask
    m = m.to(logits.dtype)
    return ((losses(logits, target) * m).sum() / m.sum()).exp()


# --- divided by all positions


def perplexity(logits, target, mask=None):
    m = counted(target, mask).to(logits.dtype)
    return ((losses(logits, target) * m).sum() / target.numel()).exp()


# --- divided by the sequences


def perplexity(logits, target, mask=None):
    m = counted(target, mask).to(logits.dtype)
    return ((losses(logits, target) * m).sum() / target.shape[0]).exp()


# --- negative numbers in the mask do not count


def perplexity(logits, target, mask=None):
    m = torch.ones_like(target, dtype=torch.bool) if mask is None else mask > 0
    return losses(logits, target)[m].mean().exp()


# --- only ones in the mask count


def perplexity(logits, target, mask=None):
    m = torch.ones_like(target, dtype=torch.bool) if mask is None else mask == 1
    return losses(logits, target)[m].mean().exp()


# --- fractions in the mask are cut to 0


def perplexity(logits, target, mask=None):
    m = torch.ones_like(target, dtype=torch.bool) if mask is None else mask.long() != 0
    return losses(logits, target)[m].mean().exp()


# --- only a bool mask works


def perplexity(logits, target, mask=None):
    per_token = losses(logits, target)
    return (per_token if mask is None else per_token[mask]).mean().exp()


# --- the mask is turned round


def perplexity(logits, target, mask=None):
    m = torch.ones_like(target, dtype=torch.bool) if mask is None else mask == 0
    return losses(logits, target)[m].mean().exp()


# --- targets shifted by one


def perplexity(logits, target, mask=None):
    per_token = losses(logits[:, :-1], target[:, 1:])
    return per_token[counted(target, mask)[:, 1:]].mean().exp()


# --- no exp


def perplexity(logits, target, mask=None):
    return losses(logits, target)[counted(target, mask)].mean()


# --- exp of the sum


def perplexity(logits, target, mask=None):
    return losses(logits, target)[counted(target, mask)].sum().exp()


# --- the root of a product of probabilities


def perplexity(logits, target, mask=None):
    p = (-losses(logits, target)[counted(target, mask)]).exp()
    return p.prod() ** (-1 / p.numel())


# --- the logarithm of a softmax


def perplexity(logits, target, mask=None):
    p = torch.softmax(logits, -1).gather(-1, target.unsqueeze(-1)).squeeze(-1)
    return torch.exp(-p[counted(target, mask)].log().mean())


# --- an eps in the logarithm


def perplexity(logits, target, mask=None):
    p = torch.softmax(logits, -1).gather(-1, target.unsqueeze(-1)).squeeze(-1)
    return torch.exp(-(p[counted(target, mask)] + 1e-8).log().mean())


# --- an exp without a maximum taken off


def perplexity(logits, target, mask=None):
    e = logits.exp()
    p = e.gather(-1, target.unsqueeze(-1)).squeeze(-1) / e.sum(-1)
    return torch.exp(-p[counted(target, mask)].log().mean())


# --- a number without a graph


def perplexity(logits, target, mask=None):
    return torch.exp(losses(logits, target)[counted(target, mask)].mean().detach())


# --- one dim


def perplexity(logits, target, mask=None):
    return losses(logits, target)[counted(target, mask)].mean(0, keepdim=True).exp()


# --- always float32


def perplexity(logits, target, mask=None):
    return losses(logits.float(), target)[counted(target, mask)].mean().exp()


# --- float64 computed in float32


def perplexity(logits, target, mask=None):
    return losses(logits.float(), target)[counted(target, mask)].mean().exp().to(logits.dtype)


# --- computed in half


def perplexity(logits, target, mask=None):
    return losses(logits.half(), target)[counted(target, mask)].mean().exp().to(logits.dtype)


# --- logits of masked tokens set to zero, and counted


def perplexity(logits, target, mask=None):
    return losses(logits * counted(target, mask).unsqueeze(-1), target).mean().exp()


# --- the target is overwritten where masked


def perplexity(logits, target, mask=None):
    if mask is not None:
        target.masked_fill_(mask == 0, -100)
    return functional.cross_entropy(logits.flatten(0, 1), target.flatten()).exp()


# --- the loss capped at 20


def perplexity(logits, target, mask=None):
    return losses(logits, target)[counted(target, mask)].mean().clamp(max=20).exp()


# --- view on whatever strides there are


def perplexity(logits, target, mask=None):
    per_token = functional.cross_entropy(logits.view(-1, logits.size(-1)), target.view(-1), reduction="none")
    return per_token[counted(target, mask).reshape(-1)].mean().exp()


# --- the geometric mean of p


def perplexity(logits, target, mask=None):
    return torch.exp(-losses(logits, target)[counted(target, mask)].mean())


# --- token 0 taken for padding


def perplexity(logits, target, mask=None):
    m = counted(target, mask) & (target != 0)
    return losses(logits, target)[m].mean().exp()


# --- token 0 taken for padding where no mask is given


def perplexity(logits, target, mask=None):
    m = (target != 0) if mask is None else mask != 0
    return losses(logits, target)[m].mean().exp()


# --- normalised over the positions


def perplexity(logits, target, mask=None):
    log_p = torch.log_softmax(logits, 1).gather(-1, target.unsqueeze(-1)).squeeze(-1)
    return torch.exp(-log_p[counted(target, mask)].mean())


# --- the gradient of the loss instead of that of its exp


def perplexity(logits, target, mask=None):
    loss = losses(logits, target)[counted(target, mask)].mean()
    return loss.exp().detach() + loss - loss.detach()


# --- masked tokens still get a gradient


def perplexity(logits, target, mask=None):
    m = counted(target, mask)
    per_token = losses(logits, target)
    shown = torch.where(m, per_token, per_token - per_token.detach())
    return (shown.sum() / m.sum()).exp()


# --- the sum of a long text in half


def perplexity(logits, target, mask=None):
    per_token = losses(logits, target)[counted(target, mask)]
    return (per_token.sum().half().to(logits.dtype) / per_token.numel()).exp()
