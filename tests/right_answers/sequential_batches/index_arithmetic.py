"""An index tensor by broadcasting, and a generator expression returned."""

import torch


def sequential_batches(corpus, batch_size, num_steps, offset=0):
    tokens = corpus.long() if isinstance(corpus, torch.Tensor) else torch.tensor(corpus, dtype=torch.long)
    length = (tokens.numel() - offset - 1) // batch_size
    rows = torch.arange(batch_size, device=tokens.device).unsqueeze(1) * length
    columns = torch.arange(num_steps, device=tokens.device).unsqueeze(0)
    first = offset + rows + columns
    return (
        (tokens[first + k * num_steps], tokens[first + k * num_steps + 1]) for k in range(length // num_steps)
    )
