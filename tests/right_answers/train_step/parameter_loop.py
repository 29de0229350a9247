"""Gradients cleared parameter by parameter, in the model."""


def train_step(model, optimizer, loss_fn, x, y):
    for parameter in model.parameters():
        parameter.grad = None
    loss = loss_fn(model(x), y)
    loss.backward()
    result = loss.detach().cpu().item()
    optimizer.step()
    return result
