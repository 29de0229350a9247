"""The optimizer is handed a closure."""


def train_step(model, optimizer, loss_fn, x, y):
    def closure():
        optimizer.zero_grad()
        loss = loss_fn(model(x), y)
        loss.backward()
        return loss

    return float(optimizer.step(closure))
