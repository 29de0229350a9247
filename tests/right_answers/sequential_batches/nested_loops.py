"""A beginner's nested loops over Python ints."""

import torch


def sequential_batches(corpus, batch_size, num_steps, offset=0):
    device = corpus.device if isinstance(corpus, torch.Tensor) else None
    numbers = []
    for token in corpus:
        numbers.append(int(token))
    row_length = (len(numbers) - offset - 1) // batch_size
    number_of_batches = row_length // num_steps
    for k in range(number_of_batches):
        x = []
        y = []
        for r in range(batch_size):
            x_row = []
            y_row = []
            for j in range(num_steps):
                position = offset + r * row_length + k * num_steps + j
                x_row.append(numbers[position])
                y_row.append(numbers[position + 1])
            x.append(x_row)
            y.append(y_row)
        x = torch.tensor(x, dtype=torch.long, device=device)
        y = torch.tensor(y, dtype=torch.long, device=device)
        yield (x, y)
