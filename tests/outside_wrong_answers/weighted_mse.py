"""Mistakes in WeightedMSE; what stands above the first separator belongs to each of them."""

# ruff: noqa: F811

import torch


def parts(ctx, grad_output):
    pred, target, weight = ctx.saved_tensors
    d = pred - target
    slope = grad_output * 2 * weight * d / d.numel()
    return slope, -slope, grad_output * d * d / d.numel()


def where_needed(ctx, grads):
    return tuple(g if needed else None for g, needed in zip(grads, ctx.needs_input_grad, strict=True))


class Right(torch.autograd.Function):
    @staticmethod
    def forward(ctx, pred, target, weight):
        ctx.save_for_backward(pred, target, weight)
        return (weight * (pred - target) ** 2).mean()

    @staticmethod
    def backward(ctx, grad_output):
        return where_needed(ctx, parts(ctx, grad_output))


# --- the factor 2 forgotten


class WeightedMSE(Right):
    @staticmethod
    def backward(ctx, grad_output):
        a, b, c = parts(ctx, grad_output)
        return where_needed(ctx, (a / 2, b / 2, c))


# --- grad_output ignored


class WeightedMSE(Right):
    @staticmethod
    def backward(ctx, grad_output):
        return where_needed(ctx, parts(ctx, torch.ones_like(grad_output)))


# --- grad_output ignored for the weight only


class WeightedMSE(Right):
    @staticmethod
    def backward(ctx, grad_output):
        a, b, _ = parts(ctx, grad_output)
        return where_needed(ctx, (a, b, parts(ctx, torch.ones_like(grad_output))[2]))


# --- only the sign of grad_output


class WeightedMSE(Right):
    @staticmethod
    def backward(ctx, grad_output):
        return where_needed(ctx, parts(ctx, grad_output.sign()))


# --- n is the number of rows


class WeightedMSE(Right):
    @staticmethod
    def forward(ctx, pred, target, weight):
        ctx.save_for_backward(pred, target, weight)
        n = pred.shape[0] if pred.dim() else 1
        return (weight * (pred - target) ** 2).sum() / n

    @staticmethod
    def backward(ctx, grad_output):
        pred = ctx.saved_tensors[0]
        n = pred.shape[0] if pred.dim() else 1
        return where_needed(ctx, [g * pred.numel() / n for g in parts(ctx, grad_output)])


# --- n is the number of rows in backward only


class WeightedMSE(Right):
    @staticmethod
    def backward(ctx, grad_output):
        pred = ctx.saved_tensors[0]
        n = pred.shape[0] if pred.dim() else 1
        return where_needed(ctx, [g * pred.numel() / n for g in parts(ctx, grad_output)])


# --- n is the sum of the weights


class WeightedMSE(Right):
    @staticmethod
    def forward(ctx, pred, target, weight):
        ctx.save_for_backward(pred, target, weight)
        return (weight * (pred - target) ** 2).sum() / weight.sum()

    @staticmethod
    def backward(ctx, grad_output):
        pred, _, weight = ctx.saved_tensors
        return where_needed(ctx, [g * pred.numel() / weight.sum() for g in parts(ctx, grad_output)])


# --- a sum instead of a mean


class WeightedMSE(Right):
    @staticmethod
    def forward(ctx, pred, target, weight):
        ctx.save_for_backward(pred, target, weight)
        return (weight * (pred - target) ** 2).sum()

    @staticmethod
    def backward(ctx, grad_output):
        n = ctx.saved_tensors[0].numel()
        return where_needed(ctx, [g * n for g in parts(ctx, grad_output)])


# --- backward of the sum


class WeightedMSE(Right):
    @staticmethod
    def backward(ctx, grad_output):
        n = ctx.saved_tensors[0].numel()
        return where_needed(ctx, [g * n for g in parts(ctx, grad_output)])


# --- the target's gradient has the sign of the prediction's


class WeightedMSE(Right):
    @staticmethod
    def backward(ctx, grad_output):
        a, _, c = parts(ctx, grad_output)
        return where_needed(ctx, (a, a, c))


# --- all signs turned round


class WeightedMSE(Right):
    @staticmethod
    def backward(ctx, grad_output):
        a, b, c = parts(ctx, grad_output)
        return where_needed(ctx, (b, a, c))


# --- no gradient for the target


class WeightedMSE(Right):
    @staticmethod
    def backward(ctx, grad_output):
        a, _, c = parts(ctx, grad_output)
        return where_needed(ctx, (a, None, c))


# --- no gradient for the weight


class WeightedMSE(Right):
    @staticmethod
    def backward(ctx, grad_output):
        a, b, _ = parts(ctx, grad_output)
        return where_needed(ctx, (a, b, None))


# --- the weight's gradient is zeros


class WeightedMSE(Right):
    @staticmethod
    def backward(ctx, grad_output):
        a, b, c = parts(ctx, grad_output)
        return where_needed(ctx, (a, b, torch.zeros_like(c)))


# --- the weight's gradient has the weight in it


class WeightedMSE(Right):
    @staticmethod
    def backward(ctx, grad_output):
        a, b, c = parts(ctx, grad_output)
        return where_needed(ctx, (a, b, c * ctx.saved_tensors[2]))


# --- the weight's gradient is not divided by n


class WeightedMSE(Right):
    @staticmethod
    def backward(ctx, grad_output):
        a, b, c = parts(ctx, grad_output)
        return where_needed(ctx, (a, b, c * c.numel()))


# --- the weight's gradient is that of the absolute error


class WeightedMSE(Right):
    @staticmethod
    def backward(ctx, grad_output):
        pred, target, _ = ctx.saved_tensors
        a, b, _ = parts(ctx, grad_output)
        return where_needed(ctx, (a, b, grad_output * (pred - target).abs() / pred.numel()))


# --- weight and target swapped on the way out


class WeightedMSE(Right):
    @staticmethod
    def backward(ctx, grad_output):
        a, b, c = parts(ctx, grad_output)
        return where_needed(ctx, (a, c, b))


# --- the weight left out of the prediction's gradient


class WeightedMSE(Right):
    @staticmethod
    def backward(ctx, grad_output):
        pred, target, _ = ctx.saved_tensors
        slope = grad_output * 2 * (pred - target) / pred.numel()
        return where_needed(ctx, (slope, -slope, parts(ctx, grad_output)[2]))


# --- the weight is squared


class WeightedMSE(Right):
    @staticmethod
    def forward(ctx, pred, target, weight):
        ctx.save_for_backward(pred, target, weight)
        return ((weight * (pred - target)) ** 2).mean()


# --- weights are made positive


class WeightedMSE(Right):
    @staticmethod
    def forward(ctx, pred, target, weight):
        ctx.save_for_backward(pred, target, weight.abs())
        return (weight.abs() * (pred - target) ** 2).mean()


# --- negative weights are cut


class WeightedMSE(Right):
    @staticmethod
    def forward(ctx, pred, target, weight):
        ctx.save_for_backward(pred, target, weight.clamp(min=0))
        return (weight.clamp(min=0) * (pred - target) ** 2).mean()


# --- one dim


class WeightedMSE(Right):
    @staticmethod
    def forward(ctx, pred, target, weight):
        ctx.save_for_backward(pred, target, weight)
        return (weight * (pred - target) ** 2).mean().reshape(1)


# --- the prediction is changed in place


class WeightedMSE(Right):
    @staticmethod
    def forward(ctx, pred, target, weight):
        ctx.save_for_backward(pred.clone(), target, weight)
        d = pred.data.sub_(target)
        return (weight * d**2).mean()


# --- the weight is changed in place in backward


class WeightedMSE(Right):
    @staticmethod
    def backward(ctx, grad_output):
        grads = parts(ctx, grad_output)
        ctx.saved_tensors[2].mul_(grad_output)
        return where_needed(ctx, grads)


# --- the gradient is changed in place in backward


class WeightedMSE(Right):
    @staticmethod
    def backward(ctx, grad_output):
        grads = parts(ctx, grad_output)
        grad_output.zero_()
        return where_needed(ctx, grads)


# --- float32 in forward


class WeightedMSE(Right):
    @staticmethod
    def forward(ctx, pred, target, weight):
        ctx.save_for_backward(pred, target, weight)
        return (weight.float() * (pred.float() - target.float()) ** 2).mean()


# --- float32 inside, cast back


class WeightedMSE(Right):
    @staticmethod
    def forward(ctx, pred, target, weight):
        ctx.save_for_backward(pred, target, weight)
        return (weight.float() * (pred.float() - target.float()) ** 2).mean().to(pred.dtype)


# --- float32 inside backward only


class WeightedMSE(Right):
    @staticmethod
    def backward(ctx, grad_output):
        grads = parts(ctx, grad_output)
        return where_needed(ctx, [g.float().to(g.dtype) for g in grads])


# --- nothing for the others where the prediction needs no gradient


class WeightedMSE(Right):
    @staticmethod
    def backward(ctx, grad_output):
        if not ctx.needs_input_grad[0]:
            return None, None, None
        return where_needed(ctx, parts(ctx, grad_output))


# --- the target's gradient comes with the prediction's only


class WeightedMSE(Right):
    @staticmethod
    def backward(ctx, grad_output):
        a, b, c = parts(ctx, grad_output)
        need = ctx.needs_input_grad
        return a if need[0] else None, b if need[0] and need[1] else None, c if need[2] else None


# --- a gradient also where none is needed


class WeightedMSE(Right):
    @staticmethod
    def backward(ctx, grad_output):
        return parts(ctx, grad_output)


# --- zeros instead of None


class WeightedMSE(Right):
    @staticmethod
    def backward(ctx, grad_output):
        need = ctx.needs_input_grad
        return tuple(
            g if n else torch.zeros_like(g) for g, n in zip(parts(ctx, grad_output), need, strict=True)
        )


# --- one gradient only


class WeightedMSE(Right):
    @staticmethod
    def backward(ctx, grad_output):
        return parts(ctx, grad_output)[0]


# --- kept on the class: two nodes in one graph share it


class WeightedMSE(torch.autograd.Function):
    kept = None

    @staticmethod
    def forward(ctx, pred, target, weight):
        WeightedMSE.kept = (pred.detach().clone(), target.detach().clone(), weight.detach().clone())
        return (weight * (pred - target) ** 2).mean()

    @staticmethod
    def backward(ctx, grad_output):
        pred, target, weight = WeightedMSE.kept
        d = pred - target
        slope = grad_output * 2 * weight * d / d.numel()
        return where_needed(ctx, (slope, -slope, grad_output * d * d / d.numel()))


# --- the root of it


class WeightedMSE(Right):
    @staticmethod
    def forward(ctx, pred, target, weight):
        ctx.save_for_backward(pred, target, weight)
        return (weight * (pred - target) ** 2).mean().abs().sqrt()


# --- half of it, as in the textbook


class WeightedMSE(Right):
    @staticmethod
    def forward(ctx, pred, target, weight):
        ctx.save_for_backward(pred, target, weight)
        return (weight * (pred - target) ** 2).mean() / 2

    @staticmethod
    def backward(ctx, grad_output):
        return where_needed(ctx, [g / 2 for g in parts(ctx, grad_output)])


# --- divided by n twice


class WeightedMSE(Right):
    @staticmethod
    def backward(ctx, grad_output):
        return where_needed(ctx, [g / g.numel() for g in parts(ctx, grad_output)])


# --- matrices only


class WeightedMSE(Right):
    @staticmethod
    def forward(ctx, pred, target, weight):
        ctx.save_for_backward(pred, target, weight)
        return (weight * (pred - target) ** 2).mean(dim=1).mean()


# --- at least one dim


class WeightedMSE(Right):
    @staticmethod
    def forward(ctx, pred, target, weight):
        ctx.save_for_backward(pred, target, weight)
        return (weight * (pred - target) ** 2).sum() / (len(pred) * pred[0].numel())


# --- summed gradients


class WeightedMSE(Right):
    @staticmethod
    def backward(ctx, grad_output):
        a, b, c = parts(ctx, grad_output)
        return where_needed(ctx, (a, b, c.sum().expand_as(c)))


# --- no node at all: autograd of the plain formula


class WeightedMSE:
    @staticmethod
    def apply(pred, target, weight):
        return (weight * (pred - target.detach()) ** 2).mean()


# --- weights taken for constants in the sign of the loss


class WeightedMSE(Right):
    @staticmethod
    def backward(ctx, grad_output):
        a, b, c = parts(ctx, grad_output)
        return where_needed(ctx, (a, b, c * ctx.saved_tensors[2].sign()))
