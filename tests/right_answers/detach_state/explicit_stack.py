"""No recursion: an explicit stack, containers put together on the way back."""

import torch


def detach_state(state):
    done = []
    todo = [("visit", state)]
    while todo:
        order, item = todo.pop()
        if order == "build":
            count = len(item)
            parts = done[len(done) - count :]
            del done[len(done) - count :]
            if isinstance(item, list):
                done.append(parts)
            elif hasattr(item, "_fields"):
                done.append(item.__class__(*parts))
            else:
                done.append(tuple(parts))
        elif item is None:
            done.append(None)
        elif isinstance(item, torch.Tensor):
            done.append(item.detach())
        elif isinstance(item, (tuple, list)):
            todo.append(("build", item))
            todo.extend(("visit", part) for part in reversed(item))
        else:
            raise TypeError(f"{type(item)} is no state")
    return done[0]
