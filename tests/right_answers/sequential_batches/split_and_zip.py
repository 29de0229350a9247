"""All batches made at once: narrow, split and zip."""

import torch


def sequential_batches(corpus, batch_size, num_steps, offset=0):
    tokens = corpus.clone().to(dtype=torch.int64) if torch.is_tensor(corpus) else torch.LongTensor(corpus)
    rest = tokens[offset:]
    length = (rest.shape[0] - 1) // batch_size
    batches = length // num_steps
    if batches < 1:
        return iter([])
    whole = batches * num_steps
    inputs = rest.narrow(0, 0, batch_size * length).view(batch_size, length)[:, :whole]
    labels = rest.narrow(0, 1, batch_size * length).view(batch_size, length)[:, :whole]
    return zip(inputs.split(num_steps, dim=1), labels.split(num_steps, dim=1), strict=True)
