"""Gradients filled with zeros after the forward pass; many intermediate variables."""


def train_step(model, optimizer, loss_fn, x, y):
    prediction = model(x)
    loss = loss_fn(prediction, y)
    value = float(loss.detach())
    optimizer.zero_grad(set_to_none=False)
    loss.backward()
    optimizer.step()
    return value
