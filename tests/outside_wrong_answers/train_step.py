"""Mistakes in train_step; what stands above the first separator belongs to each of them."""

# ruff: noqa: F811

import copy

import torch

# --- gradients are not cleared


def train_step(model, optimizer, loss_fn, x, y):
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()


# --- cleared at the end, not at the beginning


def train_step(model, optimizer, loss_fn, x, y):
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    return loss.item()


# --- cleared at the beginning and at the end


def train_step(model, optimizer, loss_fn, x, y):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    return loss.item()


# --- cleared between backward and step


def train_step(model, optimizer, loss_fn, x, y):
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.zero_grad()
    optimizer.step()
    return loss.item()


# --- the step before the backward pass


def train_step(model, optimizer, loss_fn, x, y):
    loss = loss_fn(model(x), y)
    optimizer.step()
    optimizer.zero_grad()
    loss.backward()
    return loss.item()


# --- cleared, then the step, then the backward pass


def train_step(model, optimizer, loss_fn, x, y):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    optimizer.step()
    loss.backward()
    return loss.item()


# --- no step


def train_step(model, optimizer, loss_fn, x, y):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    return loss.item()


# --- two steps


def train_step(model, optimizer, loss_fn, x, y):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.step()
    optimizer.step()
    return loss.item()


# --- the loss after the step


def train_step(model, optimizer, loss_fn, x, y):
    optimizer.zero_grad()
    loss_fn(model(x), y).backward()
    optimizer.step()
    with torch.no_grad():
        return loss_fn(model(x), y).item()


# --- the model runs once more for the number


def train_step(model, optimizer, loss_fn, x, y):
    with torch.no_grad():
        before = loss_fn(model(x), y).item()
    optimizer.zero_grad()
    loss_fn(model(x), y).backward()
    optimizer.step()
    return before


# --- a tensor


def train_step(model, optimizer, loss_fn, x, y):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.detach()


# --- a tensor with its graph


def train_step(model, optimizer, loss_fn, x, y):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.step()
    return loss


# --- nothing is returned


def train_step(model, optimizer, loss_fn, x, y):
    optimizer.zero_grad()
    loss_fn(model(x), y).backward()
    optimizer.step()


# --- target first


def train_step(model, optimizer, loss_fn, x, y):
    optimizer.zero_grad()
    loss = loss_fn(y, model(x))
    loss.backward()
    optimizer.step()
    return loss.item()


# --- train mode is switched on


def train_step(model, optimizer, loss_fn, x, y):
    model.train()
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()


# --- eval mode is switched on


def train_step(model, optimizer, loss_fn, x, y):
    model.eval()
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()


# --- train mode for the step, and back to what it was


def train_step(model, optimizer, loss_fn, x, y):
    mode = model.training
    model.train()
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.step()
    model.train(mode)
    return loss.item()


# --- plain gradient descent instead of the optimizer


def train_step(model, optimizer, loss_fn, x, y):
    model.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    with torch.no_grad():
        for p in model.parameters():
            if p.grad is not None:
                p -= optimizer.param_groups[0]["lr"] * p.grad
    return loss.item()


# --- a new optimizer for each step


def train_step(model, optimizer, loss_fn, x, y):
    fresh = type(optimizer)(model.parameters(), lr=optimizer.param_groups[0]["lr"])
    fresh.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    fresh.step()
    return loss.item()


# --- forward called past the hooks


def train_step(model, optimizer, loss_fn, x, y):
    optimizer.zero_grad()
    loss = loss_fn(model.forward(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()


# --- only the first parameter's gradient is cleared


def train_step(model, optimizer, loss_fn, x, y):
    next(model.parameters()).grad = None
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()


# --- only the first group's gradients are cleared


def train_step(model, optimizer, loss_fn, x, y):
    for p in optimizer.param_groups[0]["params"]:
        p.grad = None
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()


# --- cleared in the model's own children only


def train_step(model, optimizer, loss_fn, x, y):
    for p in model.parameters(recurse=False):
        p.grad = None
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()


# --- gradients clipped


def train_step(model, optimizer, loss_fn, x, y):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return loss.item()


# --- the sum over the batch is returned


def train_step(model, optimizer, loss_fn, x, y):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.item() * len(x)


# --- divided by the batch


def train_step(model, optimizer, loss_fn, x, y):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y) / len(x)
    loss.backward()
    optimizer.step()
    return loss.item()


# --- backward of the loss over the batch, but the right number returned


def train_step(model, optimizer, loss_fn, x, y):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    (loss / len(x)).backward()
    optimizer.step()
    return loss.item()


# --- two backward passes


def train_step(model, optimizer, loss_fn, x, y):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward(retain_graph=True)
    loss.backward()
    optimizer.step()
    return loss.item()


# --- the prediction is cut from the graph


def train_step(model, optimizer, loss_fn, x, y):
    optimizer.zero_grad()
    loss = loss_fn(model(x).detach().requires_grad_(), y)
    loss.backward()
    optimizer.step()
    return loss.item()


# --- a loss of its own


def train_step(model, optimizer, loss_fn, x, y):
    optimizer.zero_grad()
    loss = ((model(x) - y) ** 2).mean()
    loss.backward()
    optimizer.step()
    return loss.item()


# --- a loss of its own for the number only


def train_step(model, optimizer, loss_fn, x, y):
    optimizer.zero_grad()
    prediction = model(x)
    loss_fn(prediction, y).backward()
    optimizer.step()
    return ((prediction - y) ** 2).mean().item()


# --- the inputs are normalised in place


def train_step(model, optimizer, loss_fn, x, y):
    if x.is_floating_point():
        x /= x.abs().max().clamp(min=1)
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()


# --- the inputs need a gradient afterwards


def train_step(model, optimizer, loss_fn, x, y):
    if x.is_floating_point():
        x.requires_grad_()
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()


# --- inputs made float


def train_step(model, optimizer, loss_fn, x, y):
    optimizer.zero_grad()
    loss = loss_fn(model(x.float()), y)
    loss.backward()
    optimizer.step()
    return loss.item()


# --- targets made float


def train_step(model, optimizer, loss_fn, x, y):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y.float())
    loss.backward()
    optimizer.step()
    return loss.item()


# --- a last dim of 1 is squeezed away


def train_step(model, optimizer, loss_fn, x, y):
    optimizer.zero_grad()
    loss = loss_fn(model(x).squeeze(), y)
    loss.backward()
    optimizer.step()
    return loss.item()


# --- rounded


def train_step(model, optimizer, loss_fn, x, y):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.step()
    return round(loss.item(), 4)


# --- a copy of the model is trained


def train_step(model, optimizer, loss_fn, x, y):
    twin = copy.deepcopy(model)
    optimizer.zero_grad()
    loss = loss_fn(twin(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()


# --- the forward pass without a graph


def train_step(model, optimizer, loss_fn, x, y):
    optimizer.zero_grad()
    with torch.no_grad():
        prediction = model(x)
    loss = loss_fn(prediction, y).requires_grad_()
    loss.backward()
    optimizer.step()
    return loss.item()


# --- the learning rate is lowered afterwards


def train_step(model, optimizer, loss_fn, x, y):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.step()
    for group in optimizer.param_groups:
        group["lr"] *= 0.99
    return loss.item()


# --- the optimizer's state is forgotten


def train_step(model, optimizer, loss_fn, x, y):
    optimizer.state.clear()
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()


# --- weight decay of its own


def train_step(model, optimizer, loss_fn, x, y):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    penalised = loss + 1e-2 * sum((p**2).sum() for p in model.parameters())
    penalised.backward()
    optimizer.step()
    return loss.item()


# --- sample by sample


def train_step(model, optimizer, loss_fn, x, y):
    total = 0.0
    for i in range(len(x)):
        optimizer.zero_grad()
        loss = loss_fn(model(x[i : i + 1]), y[i : i + 1])
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total / len(x)


# --- a parameter that the loss does not reach is an error


def train_step(model, optimizer, loss_fn, x, y):
    parameters = [p for p in model.parameters() if p.requires_grad]
    loss = loss_fn(model(x), y)
    for p, g in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
        p.grad = g
    optimizer.step()
    return loss.item()


# --- a frozen parameter is an error


def train_step(model, optimizer, loss_fn, x, y):
    parameters = list(model.parameters())
    loss = loss_fn(model(x), y)
    for p, g in zip(parameters, torch.autograd.grad(loss, parameters, allow_unused=True), strict=True):
        p.grad = g
    optimizer.step()
    return loss.item()
