"""The maximum detached, in-place operations on its own copies only."""


def softmax(x, dim):
    top, _ = x.detach().max(dim, keepdim=True)
    e = (x - top).exp_()
    return e.div(e.sum(dim, keepdim=True))
