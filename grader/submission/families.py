"""Which names amount to which: the spellings of an op, and the ops that do another one's work.

An exercise forbids names such as `torch.softmax`. Whoever does not know better, or does, finds the same thing
as `x.softmax`, `F.softmax`, `nn.Softmax`, `torch.special.softmax` or `torch.ops.aten._softmax`; these follow
from the name. What does not follow from it stands here in a table. The table holds what gives the answer, not
what an answer may honestly be built of: `logsumexp` is not kin to `softmax`. An author who thinks otherwise
lists it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

__all__ = ["Forbidden", "forbidden_names", "plain"]

_LIBRARIES: Final = frozenset({"torch", "functorch", "torchvision", "torchaudio", "torchmetrics"})


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# `torch.<name>` that a tensor also has as a method. Left out: `unfold`, which is another op there, and
# conversions.
TENSOR_METHODS: Final = _words(
    """
    abs absolute acos acosh add addbmm addcdiv addcmul addmm addmv addr adjoint all allclose amax amin
    aminmax angle any arccos arccosh arcsin arcsinh arctan arctan2 arctanh argmax argmin argsort argwhere
    as_strided asin asinh atan atan2 atanh baddbmm bernoulli bincount bmm broadcast_to ceil cholesky chunk
    clamp clamp_max clamp_min clip clone copysign corrcoef cos cosh count_nonzero cov cross cummax cummin
    cumprod cumsum deg2rad det detach diag diag_embed diagflat diagonal diff digamma dist div divide dot
    dsplit eq equal erf erfc erfinv exp exp2 expm1 fix flatten flip fliplr flipud float_power floor
    floor_divide fmax fmin fmod frac gather gcd ge geqrf ger greater greater_equal gt hardshrink heaviside
    histc histogram hsplit hypot index_add index_copy index_fill index_put index_reduce index_select inner
    inverse isclose isfinite isinf isnan isneginf isposinf isreal istft kron kthvalue lcm ldexp le lerp less
    less_equal lgamma log log10 log1p log2 log_softmax logaddexp logaddexp2 logcumsumexp logdet logical_and
    logical_not logical_or logical_xor logit logsumexp lstsq lt lu masked_fill masked_scatter masked_select
    matmul matrix_exp matrix_power max maximum mean median min minimum mm mode moveaxis movedim msort mul
    multinomial multiply mv nan_to_num nanmean nanmedian nanquantile nansum narrow ne neg negative nonzero
    norm not_equal numel outer permute pinverse polygamma positive pow prelu prod put qr quantile rad2deg
    ravel reciprocal relu remainder renorm repeat_interleave reshape roll rot90 round rsqrt scatter
    scatter_add scatter_reduce select sgn sigmoid sign signbit sin sinc sinh slogdet softmax sort split sqrt
    square squeeze std stft sub subtract sum svd swapaxes swapdims take take_along_dim tan tanh tensor_split
    tile topk trace transpose tril triu true_divide trunc unbind unflatten unique unique_consecutive
    unsqueeze var vdot vsplit where xlogy
    """
)

_ATTENTION = "scaled_dot_product_attention multi_head_attention_forward MultiheadAttention flex_attention"
_TRANSFORMER = (
    "TransformerEncoderLayer TransformerDecoderLayer TransformerEncoder TransformerDecoder Transformer "
    "transformer_encoder_layer_fwd"
)
_CATEGORICAL = (
    "Categorical OneHotCategorical RelaxedOneHotCategorical OneHotCategoricalStraightThrough Multinomial "
    "logits_to_probs"
)
_CONVOLUTION = "conv1d conv2d conv3d convolution conv_tbc thnn_conv2d slow_conv3d"
_TRANSPOSED = (
    "conv_transpose1d conv_transpose2d conv_transpose3d convolution conv1d_input conv2d_input conv3d_input"
)
_MAX_POOL = "max_pool1d max_pool2d max_pool3d adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d"
_AVG_POOL = "avg_pool1d avg_pool2d avg_pool3d adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d"
_DISTANCE = "cdist pairwise_distance pdist euclidean_dist"

_KIN: Final[dict[str, str]] = {
    # the forbidden name: what gives its answer as well
    "softmax": f"log_softmax softmin gumbel_softmax cross_entropy {_CATEGORICAL} {_ATTENTION} {_TRANSFORMER} "
    "AdaptiveLogSoftmaxWithLoss masked_softmax sparse_softmax",
    "log_softmax": f"sparse_log_softmax cross_entropy {_CATEGORICAL} AdaptiveLogSoftmaxWithLoss",
    "cross_entropy": f"{_CATEGORICAL} AdaptiveLogSoftmaxWithLoss linear_cross_entropy",
    "nll_loss": "nll_loss2d nll_loss_nd cross_entropy",
    "sigmoid": "logsigmoid silu glu Bernoulli",
    "binary_cross_entropy_with_logits": "soft_margin_loss multilabel_soft_margin_loss sigmoid_focal_loss "
    "Bernoulli",
    "l1_loss": "smooth_l1_loss",
    "huber_loss": "smooth_l1_loss",
    "smooth_l1_loss": "huber_loss",
    "kl_div": "kl_divergence",
    "cdist": _DISTANCE,
    "pairwise_distance": _DISTANCE,
    "norm": "vector_norm matrix_norm renorm linalg_vector_norm frobenius_norm",
    "vector_norm": "norm renorm linalg_vector_norm",
    "dropout": "alpha_dropout feature_dropout feature_alpha_dropout",
    "batch_norm": "instance_norm SyncBatchNorm batch_norm_impl_index batch_norm_with_update batch_norm_elemt",
    "layer_norm": "group_norm instance_norm",
    "conv1d": _CONVOLUTION,
    "conv2d": _CONVOLUTION,
    "conv3d": _CONVOLUTION,
    "conv_transpose1d": _TRANSPOSED,
    "conv_transpose2d": _TRANSPOSED,
    "conv_transpose3d": _TRANSPOSED,
    "max_pool2d": f"{_MAX_POOL} fractional_max_pool2d max_pool2d_with_indices lp_pool2d",
    "avg_pool2d": f"{_AVG_POOL} lp_pool2d",
    "adaptive_avg_pool2d": _AVG_POOL,
    "RNN": "RNNCell rnn_tanh rnn_relu rnn_tanh_cell rnn_relu_cell",
    "RNNCell": "RNN rnn_tanh rnn_relu rnn_tanh_cell rnn_relu_cell",
    "LSTM": "LSTMCell",
    "LSTMCell": "LSTM",
    "GRU": "GRUCell",
    "GRUCell": "GRU",
    "scaled_dot_product_attention": f"{_ATTENTION} {_TRANSFORMER}",
    "MultiheadAttention": f"{_ATTENTION} {_TRANSFORMER}",
    "Adam": "AdamW",
    "AdamW": "Adam",
    "clip_grad_norm_": "clip_grads_with_norm_",
    "nms": "batched_nms",
    "box_iou": "generalized_box_iou distance_box_iou complete_box_iou",
}

_SAME: Final = {
    "expit": "sigmoid",
    "bcewithlogits": "binarycrossentropywithlogits",
    "bce": "binarycrossentropy",
    "mae": "l1",
}

_BEFORE = (
    "lazy",
    "native",
    "fused",
    "foreach",
    "singletensor",
    "multitensor",
    "safe",
    "cudnn",
    "mkldnn",
    "miopen",
)
_AFTER = ("backwarddata", "backward", "loss")
_OF_SOME_DIMS = re.compile(r"(.+)[123]d")
_SAYS_NOTHING = frozenset(
    {"forward", "default", "out", "apply", "__call__", "__func__", "__wrapped__", "__init__"}
)


def plain(name: str) -> str:
    """What is common to the spellings of an op: `_softmax`, `Softmax` and `softmax_` are one."""
    word = name.replace("_", "").lower()
    stripped = True
    while stripped:
        stripped = False
        for affix in _BEFORE:
            if word.startswith(affix) and word != affix:
                word, stripped = word.removeprefix(affix), True
        for affix in _AFTER:
            if word.endswith(affix) and word != affix:
                word, stripped = word.removesuffix(affix), True
    if word.startswith("scaleddotproduct"):
        return "scaleddotproductattention"
    return _SAME.get(word, word)


_KIN_BY_PLAIN: Final = {plain(name): frozenset(map(plain, kin.split())) for name, kin in _KIN.items()}


@dataclass(frozen=True)
class Forbidden:
    """What an exercise forbids, in all its spellings.

    `names` are as the author wrote them; the others say, for an op by its plain name, which of them it stands
    for.
    """

    names: tuple[str, ...]
    ops: dict[str, str] = field(default_factory=dict)
    kin: dict[str, str] = field(default_factory=dict)
    methods: dict[str, str] = field(default_factory=dict)

    def match(self, dotted: str) -> str:
        """Why the name must not be used, in words that follow it; empty where it may be."""
        for name in self.names:
            if dotted == name or dotted.startswith(f"{name}."):
                return _FORBIDDEN
        parts = dotted.split(".")
        if len(parts) < 2 or parts[0] not in _LIBRARIES:
            return ""
        if parts[:2] == ["torch", "ops"]:
            parts = parts[:4]  # what follows is an overload
        while len(parts) > 2 and parts[-1] in _SAYS_NOTHING:
            parts.pop()
        return self.match_op(parts[-1])

    def match_method(self, name: str) -> str:
        """The same for a method of what may be a tensor."""
        return self.match_op(name) if name in self.methods or name.rstrip("_") in self.methods else ""

    def match_op(self, name: str) -> str:
        """The same for the bare name of an op of torch."""
        word = plain(name)
        of_some_dims = _OF_SOME_DIMS.fullmatch(word)
        words = (word, of_some_dims[1]) if of_some_dims else (word,)
        if any(word in self.ops for word in words):
            return _FORBIDDEN
        stands_for = next((self.kin[word] for word in words if word in self.kin), None)
        return "" if stands_for is None else f", which does the work of {stands_for}{_FORBIDDEN}"


_FORBIDDEN = ", which this exercise asks you to write yourself"


@lru_cache(maxsize=1024)
def forbidden_names(names: tuple[str, ...]) -> Forbidden:
    """The names that an exercise forbids, with all that amounts to them."""
    ops: dict[str, str] = {}
    kin: dict[str, str] = {}
    methods: dict[str, str] = {}
    for name in names:
        parts = name.split(".")
        if parts[0] not in _LIBRARIES:
            continue
        word = plain(parts[-1])
        ops.setdefault(word, name)
        of_some_dims = _OF_SOME_DIMS.fullmatch(word)
        for key in (word, of_some_dims[1]) if of_some_dims else (word,):
            for relative in _KIN_BY_PLAIN.get(key, ()):
                kin.setdefault(relative, name)
        if parts[:2] == ["torch", "Tensor"]:
            methods.setdefault(parts[-1].rstrip("_"), name)
    for method in TENSOR_METHODS:
        stands_for = ops.get(plain(method)) or kin.get(plain(method))
        if stands_for is not None:
            methods.setdefault(method, stands_for)
    return Forbidden(names, ops, kin, methods)
