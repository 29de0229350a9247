"""Mistakes in sequential_batches; what stands above the first separator belongs to each of them."""

# ruff: noqa: F811, RUF005

import random

import torch


def tokens_of(corpus):
    return torch.as_tensor(corpus, dtype=torch.int64)


# --- no - 1: the last label is missing


def sequential_batches(corpus, batch_size, num_steps, offset=0):
    t = tokens_of(corpus)
    length = max(0, (len(t) - offset) // batch_size)
    rows = [t[offset + r * length :] for r in range(batch_size)]
    for k in range(0, length // num_steps * num_steps, num_steps):
        x = [row[k : k + num_steps] for row in rows]
        y = [row[k + 1 : k + num_steps + 1] for row in rows]
        yield torch.stack(x), torch.stack(y)


# --- offset ignored


def sequential_batches(corpus, batch_size, num_steps, offset=0):
    t = tokens_of(corpus)
    length = max(0, (len(t) - 1) // batch_size)
    xs = t[: length * batch_size].reshape(batch_size, length)
    ys = t[1 : length * batch_size + 1].reshape(batch_size, length)
    for k in range(0, length // num_steps * num_steps, num_steps):
        yield xs[:, k : k + num_steps], ys[:, k : k + num_steps]


# --- offset not taken off the length


def sequential_batches(corpus, batch_size, num_steps, offset=0):
    t = tokens_of(corpus)
    length = max(0, (len(t) - 1) // batch_size)
    for k in range(length // num_steps):
        at = [offset + r * length + k * num_steps for r in range(batch_size)]
        if at[-1] + num_steps + 1 > len(t):
            return
        yield (
            torch.stack([t[a : a + num_steps] for a in at]),
            torch.stack([t[a + 1 : a + 1 + num_steps] for a in at]),
        )


# --- labels are the inputs


def sequential_batches(corpus, batch_size, num_steps, offset=0):
    t = tokens_of(corpus)
    length = max(0, (len(t) - offset - 1) // batch_size)
    xs = t[offset : offset + length * batch_size].reshape(batch_size, length)
    for k in range(0, length // num_steps * num_steps, num_steps):
        yield xs[:, k : k + num_steps], xs[:, k : k + num_steps].clone()


# --- labels rolled within the row


def sequential_batches(corpus, batch_size, num_steps, offset=0):
    t = tokens_of(corpus)
    length = max(0, (len(t) - offset - 1) // batch_size)
    xs = t[offset : offset + length * batch_size].reshape(batch_size, length)
    ys = xs.roll(-1, dims=1)
    for k in range(0, length // num_steps * num_steps, num_steps):
        yield xs[:, k : k + num_steps], ys[:, k : k + num_steps]


# --- labels rolled within the batch


def sequential_batches(corpus, batch_size, num_steps, offset=0):
    t = tokens_of(corpus)
    length = max(0, (len(t) - offset - 1) // batch_size)
    xs = t[offset : offset + length * batch_size].reshape(batch_size, length)
    for k in range(0, length // num_steps * num_steps, num_steps):
        x = xs[:, k : k + num_steps]
        yield x, x.roll(-1, dims=1)


# --- rows that do not share the token between them: labels cut at the end of a row


def sequential_batches(corpus, batch_size, num_steps, offset=0):
    t = tokens_of(corpus)
    length = max(0, (len(t) - offset) // batch_size)
    rows = t[offset : offset + length * batch_size].reshape(batch_size, length)
    xs, ys = rows[:, :-1], rows[:, 1:]
    for k in range(0, xs.shape[1] // num_steps * num_steps, num_steps):
        yield xs[:, k : k + num_steps], ys[:, k : k + num_steps]


# --- consecutive windows below one another in a batch


def sequential_batches(corpus, batch_size, num_steps, offset=0):
    t = tokens_of(corpus)[offset:]
    windows = [
        (t[i : i + num_steps], t[i + 1 : i + num_steps + 1]) for i in range(0, len(t) - num_steps, num_steps)
    ]
    for k in range(0, len(windows) // batch_size * batch_size, batch_size):
        x, y = zip(*windows[k : k + batch_size], strict=True)
        yield torch.stack(x), torch.stack(y)


# --- a last batch that is not whole


def sequential_batches(corpus, batch_size, num_steps, offset=0):
    t = tokens_of(corpus)
    length = max(0, (len(t) - offset - 1) // batch_size)
    xs = t[offset : offset + length * batch_size].reshape(batch_size, length)
    ys = t[offset + 1 : offset + 1 + length * batch_size].reshape(batch_size, length)
    for k in range(0, length, num_steps):
        yield xs[:, k : k + num_steps], ys[:, k : k + num_steps]


# --- the last whole batch is left out where it comes out even


def sequential_batches(corpus, batch_size, num_steps, offset=0):
    t = tokens_of(corpus)
    length = max(0, (len(t) - offset - 1) // batch_size)
    xs = t[offset : offset + length * batch_size].reshape(batch_size, length)
    ys = t[offset + 1 : offset + 1 + length * batch_size].reshape(batch_size, length)
    for k in range(0, length - num_steps, num_steps):
        yield xs[:, k : k + num_steps], ys[:, k : k + num_steps]


# --- the rows are as long as the whole batches need


def sequential_batches(corpus, batch_size, num_steps, offset=0):
    t = tokens_of(corpus)
    batches = max(0, (len(t) - offset - 1) // (batch_size * num_steps))
    length = batches * num_steps
    xs = t[offset : offset + length * batch_size].reshape(batch_size, length)
    ys = t[offset + 1 : offset + 1 + length * batch_size].reshape(batch_size, length)
    for k in range(0, length, num_steps):
        yield xs[:, k : k + num_steps], ys[:, k : k + num_steps]


# --- the - 1 taken from every row


def sequential_batches(corpus, batch_size, num_steps, offset=0):
    t = tokens_of(corpus)
    length = max(0, (len(t) - offset) // batch_size - 1)
    for k in range(length // num_steps):
        at = [offset + r * length + k * num_steps for r in range(batch_size)]
        yield (
            torch.stack([t[a : a + num_steps] for a in at]),
            torch.stack([t[a + 1 : a + 1 + num_steps] for a in at]),
        )


# --- the dtype of the corpus is kept


def sequential_batches(corpus, batch_size, num_steps, offset=0):
    t = torch.as_tensor(corpus)
    length = max(0, (len(t) - offset - 1) // batch_size)
    xs = t[offset : offset + length * batch_size].reshape(batch_size, length)
    ys = t[offset + 1 : offset + 1 + length * batch_size].reshape(batch_size, length)
    for k in range(0, length // num_steps * num_steps, num_steps):
        yield xs[:, k : k + num_steps], ys[:, k : k + num_steps]


# --- int32


def sequential_batches(corpus, batch_size, num_steps, offset=0):
    t = tokens_of(corpus).int()
    length = max(0, (len(t) - offset - 1) // batch_size)
    xs = t[offset : offset + length * batch_size].reshape(batch_size, length)
    ys = t[offset + 1 : offset + 1 + length * batch_size].reshape(batch_size, length)
    for k in range(0, length // num_steps * num_steps, num_steps):
        yield xs[:, k : k + num_steps], ys[:, k : k + num_steps]


# --- floats: token ids as torch.Tensor


def sequential_batches(corpus, batch_size, num_steps, offset=0):
    t = torch.Tensor([float(c) for c in corpus])
    length = max(0, (len(t) - offset - 1) // batch_size)
    xs = t[offset : offset + length * batch_size].reshape(batch_size, length)
    ys = t[offset + 1 : offset + 1 + length * batch_size].reshape(batch_size, length)
    for k in range(0, length // num_steps * num_steps, num_steps):
        yield xs[:, k : k + num_steps], ys[:, k : k + num_steps]


# --- large token ids lose digits in float32


def sequential_batches(corpus, batch_size, num_steps, offset=0):
    t = torch.tensor([float(c) for c in corpus]).long()
    length = max(0, (len(t) - offset - 1) // batch_size)
    xs = t[offset : offset + length * batch_size].reshape(batch_size, length)
    ys = t[offset + 1 : offset + 1 + length * batch_size].reshape(batch_size, length)
    for k in range(0, length // num_steps * num_steps, num_steps):
        yield xs[:, k : k + num_steps], ys[:, k : k + num_steps]


# --- a list is returned, which is no iterator


def sequential_batches(corpus, batch_size, num_steps, offset=0):
    t = tokens_of(corpus)
    length = max(0, (len(t) - offset - 1) // batch_size)
    xs = t[offset : offset + length * batch_size].reshape(batch_size, length)
    ys = t[offset + 1 : offset + 1 + length * batch_size].reshape(batch_size, length)
    return [
        (xs[:, k : k + num_steps], ys[:, k : k + num_steps])
        for k in range(0, length - num_steps + 1, num_steps)
    ]


# --- lists [x, y] instead of tuples


def sequential_batches(corpus, batch_size, num_steps, offset=0):
    t = tokens_of(corpus)
    length = max(0, (len(t) - offset - 1) // batch_size)
    xs = t[offset : offset + length * batch_size].reshape(batch_size, length)
    ys = t[offset + 1 : offset + 1 + length * batch_size].reshape(batch_size, length)
    for k in range(0, length // num_steps * num_steps, num_steps):
        yield [xs[:, k : k + num_steps], ys[:, k : k + num_steps]]


# --- nested lists instead of tensors


def sequential_batches(corpus, batch_size, num_steps, offset=0):
    t = tokens_of(corpus)
    length = max(0, (len(t) - offset - 1) // batch_size)
    xs = t[offset : offset + length * batch_size].reshape(batch_size, length)
    ys = t[offset + 1 : offset + 1 + length * batch_size].reshape(batch_size, length)
    for k in range(0, length // num_steps * num_steps, num_steps):
        yield xs[:, k : k + num_steps].tolist(), ys[:, k : k + num_steps].tolist()


# --- a random start on top of the offset


def sequential_batches(corpus, batch_size, num_steps, offset=0):
    t = tokens_of(corpus)
    offset += random.randint(0, num_steps - 1)
    length = max(0, (len(t) - offset - 1) // batch_size)
    used = length * batch_size
    xs = t[offset : offset + used].reshape(batch_size, length)
    ys = t[offset + 1 : offset + 1 + used].reshape(batch_size, length)
    for k in range(0, length // num_steps * num_steps, num_steps):
        yield xs[:, k : k + num_steps], ys[:, k : k + num_steps]


# --- an error for a short corpus


def sequential_batches(corpus, batch_size, num_steps, offset=0):
    t = tokens_of(corpus)
    length = (len(t) - offset - 1) // batch_size
    if length < num_steps:
        raise ValueError("corpus too short")
    xs = t[offset : offset + length * batch_size].reshape(batch_size, length)
    ys = t[offset + 1 : offset + 1 + length * batch_size].reshape(batch_size, length)
    for k in range(0, length // num_steps * num_steps, num_steps):
        yield xs[:, k : k + num_steps], ys[:, k : k + num_steps]


# --- a corpus shorter than the offset is an error of reshape


def sequential_batches(corpus, batch_size, num_steps, offset=0):
    t = tokens_of(corpus)
    length = (len(t) - offset - 1) // batch_size
    used = length * batch_size
    xs = t[offset : offset + used].reshape(batch_size, length)
    ys = t[offset + 1 : offset + 1 + used].reshape(batch_size, length)
    for k in range(0, length // num_steps * num_steps, num_steps):
        yield xs[:, k : k + num_steps], ys[:, k : k + num_steps]


# --- the caller's list is cut


def sequential_batches(corpus, batch_size, num_steps, offset=0):
    if isinstance(corpus, list):
        del corpus[:offset]
        offset = 0
    t = tokens_of(corpus)
    length = max(0, (len(t) - offset - 1) // batch_size)
    used = length * batch_size
    xs = t[offset : offset + used].reshape(batch_size, length)
    ys = t[offset + 1 : offset + 1 + used].reshape(batch_size, length)
    for k in range(0, length // num_steps * num_steps, num_steps):
        yield xs[:, k : k + num_steps], ys[:, k : k + num_steps]


# --- overlapping windows


def sequential_batches(corpus, batch_size, num_steps, offset=0):
    t = tokens_of(corpus)
    length = max(0, (len(t) - offset - 1) // batch_size)
    xs = t[offset : offset + length * batch_size].reshape(batch_size, length)
    ys = t[offset + 1 : offset + 1 + length * batch_size].reshape(batch_size, length)
    for k in range(length - num_steps + 1):
        yield xs[:, k : k + num_steps], ys[:, k : k + num_steps]


# --- time first


def sequential_batches(corpus, batch_size, num_steps, offset=0):
    t = tokens_of(corpus)
    length = max(0, (len(t) - offset - 1) // batch_size)
    xs = t[offset : offset + length * batch_size].reshape(batch_size, length)
    ys = t[offset + 1 : offset + 1 + length * batch_size].reshape(batch_size, length)
    for k in range(0, length // num_steps * num_steps, num_steps):
        yield xs[:, k : k + num_steps].T, ys[:, k : k + num_steps].T


# --- only lists


def sequential_batches(corpus, batch_size, num_steps, offset=0):
    corpus = corpus[offset:] + []
    length = max(0, (len(corpus) - 1) // batch_size)
    for k in range(length // num_steps):
        at = [r * length + k * num_steps for r in range(batch_size)]
        x = torch.tensor([corpus[a : a + num_steps] for a in at])
        y = torch.tensor([corpus[a + 1 : a + 1 + num_steps] for a in at])
        yield x, y


# --- only tensors


def sequential_batches(corpus, batch_size, num_steps, offset=0):
    t = corpus.long()
    length = max(0, (t.numel() - offset - 1) // batch_size)
    xs = t[offset : offset + length * batch_size].reshape(batch_size, length)
    ys = t[offset + 1 : offset + 1 + length * batch_size].reshape(batch_size, length)
    for k in range(0, length // num_steps * num_steps, num_steps):
        yield xs[:, k : k + num_steps], ys[:, k : k + num_steps]


# --- the default leaves a token out


def sequential_batches(corpus, batch_size, num_steps, offset=1):
    t = tokens_of(corpus)
    length = max(0, (len(t) - offset - 1) // batch_size)
    used = length * batch_size
    xs = t[offset : offset + used].reshape(batch_size, length)
    ys = t[offset + 1 : offset + 1 + used].reshape(batch_size, length)
    for k in range(0, length // num_steps * num_steps, num_steps):
        yield xs[:, k : k + num_steps], ys[:, k : k + num_steps]


# --- the offset wraps at num_steps


def sequential_batches(corpus, batch_size, num_steps, offset=0):
    t = tokens_of(corpus)
    offset = offset % num_steps
    length = max(0, (len(t) - offset - 1) // batch_size)
    used = length * batch_size
    xs = t[offset : offset + used].reshape(batch_size, length)
    ys = t[offset + 1 : offset + 1 + used].reshape(batch_size, length)
    for k in range(0, length // num_steps * num_steps, num_steps):
        yield xs[:, k : k + num_steps], ys[:, k : k + num_steps]


# --- one label for each window


def sequential_batches(corpus, batch_size, num_steps, offset=0):
    t = tokens_of(corpus)
    length = max(0, (len(t) - offset - 1) // batch_size)
    xs = t[offset : offset + length * batch_size].reshape(batch_size, length)
    ys = t[offset + 1 : offset + 1 + length * batch_size].reshape(batch_size, length)
    for k in range(0, length // num_steps * num_steps, num_steps):
        yield xs[:, k : k + num_steps], ys[:, k + num_steps - 1]


# --- one pair of tensors, filled anew for each batch


def sequential_batches(corpus, batch_size, num_steps, offset=0):
    t = tokens_of(corpus)
    length = max(0, (len(t) - offset - 1) // batch_size)
    x = torch.empty(batch_size, num_steps, dtype=torch.int64)
    y = torch.empty(batch_size, num_steps, dtype=torch.int64)
    for k in range(length // num_steps):
        for r in range(batch_size):
            at = offset + r * length + k * num_steps
            x[r] = t[at : at + num_steps]
            y[r] = t[at + 1 : at + 1 + num_steps]
        yield x, y


# --- rows and columns mixed up by reshape


def sequential_batches(corpus, batch_size, num_steps, offset=0):
    t = tokens_of(corpus)
    length = max(0, (len(t) - offset - 1) // batch_size)
    used = length * batch_size
    xs = t[offset : offset + used].reshape(length, batch_size).T
    ys = t[offset + 1 : offset + 1 + used].reshape(length, batch_size).T
    for k in range(0, length // num_steps * num_steps, num_steps):
        yield xs[:, k : k + num_steps], ys[:, k : k + num_steps]


# --- batches in a random order


def sequential_batches(corpus, batch_size, num_steps, offset=0):
    t = tokens_of(corpus)
    length = max(0, (len(t) - offset - 1) // batch_size)
    used = length * batch_size
    xs = t[offset : offset + used].reshape(batch_size, length)
    ys = t[offset + 1 : offset + 1 + used].reshape(batch_size, length)
    for k in torch.randperm(length // num_steps).tolist():
        yield xs[:, k * num_steps : (k + 1) * num_steps], ys[:, k * num_steps : (k + 1) * num_steps]
