"""Mistakes in cross_entropy; what stands above the first separator belongs to each of them."""

# ruff: noqa: F811

import torch


def reduced(loss, reduction):
    if reduction == "none":
        return loss
    if reduction == "sum":
        return loss.sum()
    if reduction == "mean":
        return loss.mean()
    raise ValueError(reduction)


def picked(logits, target):
    return logits.gather(1, target.unsqueeze(1)).squeeze(1)


# --- the logarithm of the softmax


def cross_entropy(logits, target, reduction="mean"):
    z = logits - logits.amax(1, keepdim=True)
    p = z.exp() / z.exp().sum(1, keepdim=True)
    return reduced(-torch.log(picked(p, target)), reduction)


# --- an eps inside the logarithm


def cross_entropy(logits, target, reduction="mean"):
    p = torch.softmax(logits, 1)
    return reduced(-torch.log(picked(p, target) + 1e-9), reduction)


# --- probabilities clamped


def cross_entropy(logits, target, reduction="mean"):
    p = torch.softmax(logits, 1).clamp(min=1e-7)
    return reduced(-torch.log(picked(p, target)), reduction)


# --- no maximum taken off


def cross_entropy(logits, target, reduction="mean"):
    return reduced(logits.exp().sum(1).log() - picked(logits, target), reduction)


# --- the maximum of the whole batch taken off


def cross_entropy(logits, target, reduction="mean"):
    z = logits - logits.max() if logits.numel() else logits
    return reduced(z.exp().sum(1).log() - picked(z, target), reduction)


# --- the default is sum


def cross_entropy(logits, target, reduction="sum"):
    return reduced(torch.logsumexp(logits, 1) - picked(logits, target), reduction)


# --- the default is none


def cross_entropy(logits, target, reduction="none"):
    return reduced(torch.logsumexp(logits, 1) - picked(logits, target), reduction)


# --- mean divides by the classes


def cross_entropy(logits, target, reduction="mean"):
    loss = torch.logsumexp(logits, 1) - picked(logits, target)
    return loss.sum() / logits.shape[1] if reduction == "mean" else reduced(loss, reduction)


# --- mean divides by all logits


def cross_entropy(logits, target, reduction="mean"):
    loss = torch.logsumexp(logits, 1) - picked(logits, target)
    return loss.sum() / logits.numel() if reduction == "mean" else reduced(loss, reduction)


# --- sum is a mean, too


def cross_entropy(logits, target, reduction="mean"):
    loss = torch.logsumexp(logits, 1) - picked(logits, target)
    return reduced(loss, "mean" if reduction == "sum" else reduction)


# --- none keeps a column


def cross_entropy(logits, target, reduction="mean"):
    loss = torch.logsumexp(logits, 1, keepdim=True) - logits.gather(1, target.unsqueeze(1))
    return reduced(loss, reduction)


# --- a single sample loses its dim


def cross_entropy(logits, target, reduction="mean"):
    loss = torch.logsumexp(logits, 1, keepdim=True) - logits.gather(1, target.unsqueeze(1))
    return reduced(loss.squeeze(), reduction)


# --- an unknown reduction is a mean


def cross_entropy(logits, target, reduction="mean"):
    loss = torch.logsumexp(logits, 1) - picked(logits, target)
    return reduced(loss, reduction if reduction in ("none", "sum") else "mean")


# --- an unknown reduction is none


def cross_entropy(logits, target, reduction="mean"):
    loss = torch.logsumexp(logits, 1) - picked(logits, target)
    return reduced(loss, reduction if reduction in ("mean", "sum") else "none")


# --- upper and lower case are the same


def cross_entropy(logits, target, reduction="mean"):
    return reduced(torch.logsumexp(logits, 1) - picked(logits, target), reduction.lower())


# --- a KeyError for an unknown reduction


def cross_entropy(logits, target, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise KeyError(reduction)
    return reduced(torch.logsumexp(logits, 1) - picked(logits, target), reduction)


# --- an assert for an unknown reduction


def cross_entropy(logits, target, reduction="mean"):
    assert reduction in ("none", "sum", "mean")
    return reduced(torch.logsumexp(logits, 1) - picked(logits, target), reduction)


# --- one-hot times logits: 0 * -inf


def cross_entropy(logits, target, reduction="mean"):
    one_hot = torch.zeros_like(logits)
    one_hot[torch.arange(len(target)), target] = 1
    return reduced(torch.logsumexp(logits, 1) - (one_hot * logits).sum(1), reduction)


# --- the normaliser is cut from the graph


def cross_entropy(logits, target, reduction="mean"):
    return reduced(torch.logsumexp(logits.detach(), 1) - picked(logits, target), reduction)


# --- the right class's logit is cut from the graph


def cross_entropy(logits, target, reduction="mean"):
    return reduced(torch.logsumexp(logits, 1) - picked(logits.detach(), target), reduction)


# --- a number without a graph


def cross_entropy(logits, target, reduction="mean"):
    loss = reduced(torch.logsumexp(logits, 1) - picked(logits, target), reduction)
    return loss if reduction == "none" else torch.tensor(loss.item(), dtype=logits.dtype)


# --- a Python float


def cross_entropy(logits, target, reduction="mean"):
    loss = reduced(torch.logsumexp(logits, 1) - picked(logits, target), reduction)
    return loss if reduction == "none" else loss.item()


# --- half precision comes back as float32


def cross_entropy(logits, target, reduction="mean"):
    z = logits if logits.dtype == torch.float64 else logits.float()
    return reduced(torch.logsumexp(z, 1) - picked(z, target), reduction)


# --- everything in bfloat16


def cross_entropy(logits, target, reduction="mean"):
    z = logits.to(torch.bfloat16)
    return reduced((torch.logsumexp(z, 1) - picked(z, target)).to(logits.dtype), reduction)


# --- float64 in float32


def cross_entropy(logits, target, reduction="mean"):
    z = logits.float()
    return reduced((torch.logsumexp(z, 1) - picked(z, target)).to(logits.dtype), reduction)


# --- logits changed in place


def cross_entropy(logits, target, reduction="mean"):
    logits.data -= logits.data.amax(1, keepdim=True)
    return reduced(logits.exp().sum(1).log() - picked(logits, target), reduction)


# --- the log likelihood without its minus


def cross_entropy(logits, target, reduction="mean"):
    return reduced(picked(logits, target) - torch.logsumexp(logits, 1), reduction)


# --- bits


def cross_entropy(logits, target, reduction="mean"):
    loss = torch.logsumexp(logits, 1) - picked(logits, target)
    return reduced(loss / torch.log(torch.tensor(2.0, dtype=logits.dtype)), reduction)


# --- normalised over the samples


def cross_entropy(logits, target, reduction="mean"):
    z = logits - torch.logsumexp(logits, 0, keepdim=True) if len(logits) else logits
    return reduced(-picked(z, target), reduction)


# --- no samples: stack of nothing


def cross_entropy(logits, target, reduction="mean"):
    rows = [torch.logsumexp(row, 0) - row[t] for row, t in zip(logits, target, strict=True)]
    return reduced(torch.stack(rows), reduction)


# --- view on whatever strides the logits have


def cross_entropy(logits, target, reduction="mean"):
    n, c = logits.shape
    flat = logits.view(n * c)
    chosen = flat[torch.arange(n) * c + target]
    return reduced(torch.logsumexp(logits, 1) - chosen, reduction)


# --- logits clamped to +-100


def cross_entropy(logits, target, reduction="mean"):
    z = logits.clamp(-100, 100)
    return reduced(torch.logsumexp(z, 1) - picked(z, target), reduction)


# --- a backward of its own that forgets what comes after


class _Loss(torch.autograd.Function):
    @staticmethod
    def forward(ctx, logits, target):
        ctx.save_for_backward(logits, target)
        return torch.logsumexp(logits, 1) - picked(logits, target)

    @staticmethod
    def backward(ctx, g):
        logits, target = ctx.saved_tensors
        p = torch.softmax(logits, 1)
        p[torch.arange(len(target)), target] -= 1
        return p, None


def cross_entropy(logits, target, reduction="mean"):
    return reduced(_Loss.apply(logits, target), reduction)


# --- class 0 is taken for padding


def cross_entropy(logits, target, reduction="mean"):
    loss = (torch.logsumexp(logits, 1) - picked(logits, target)) * (target != 0)
    if reduction == "mean":
        return loss.sum() / (target != 0).sum().clamp(min=1)
    return reduced(loss, reduction)


# --- a single class is taken for a sigmoid


def cross_entropy(logits, target, reduction="mean"):
    if logits.shape[1] == 1:
        return reduced(torch.log1p(torch.exp(-logits[:, 0])), reduction)
    return reduced(torch.logsumexp(logits, 1) - picked(logits, target), reduction)


# --- NaN and inf papered over


def cross_entropy(logits, target, reduction="mean"):
    p = torch.softmax(logits, 1)
    return reduced(-torch.log(picked(p, target)).nan_to_num(neginf=-100.0), reduction)


# --- the squared error of the probabilities in one branch only


def cross_entropy(logits, target, reduction="mean"):
    loss = torch.logsumexp(logits, 1) - picked(logits, target)
    if reduction == "sum":
        return loss.detach().sum()
    return reduced(loss, reduction)
