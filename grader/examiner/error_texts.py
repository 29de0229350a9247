"""Texts of exceptions that may be shown for marks: a table of well-known ones, filled in anew.

What a student's code raises is a claim of hers: she may spell a hidden input in it. So nothing of her text is
passed on. It is held against the messages of Python and torch in the table below; where one fits, that
message is written again, and of its slots only what is checked: numbers that stand in the suite, the stub or
the line that raised, names that stand in the stub or that line, well-known types and dtypes. The rest of the
slots reads "…".

What remains for whoever sends out bits: which message (6 bits), which of about thirty numbers in at most six
slots (5 bits each), which of a few names, and which line of the file raised (10 bits for a thousand lines):
about as much as the two values that a comparison shows anyhow, and never more than that for a test.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cache

from grader.course.stub import source_lines
from grader.wire import WireLimits

MASK = "…"
_QUOTED = 120
_MOST_NUMBERS = 6
_LARGEST = 10**6


def words(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


TYPES = words(
    "NoneType Tensor Parameter Size Module Linear Sequential ReLU Optimizer SGD Adam Generator module function "
    "method type object ellipsis generator int float bool str list tuple dict set range slice complex bytes "
    "builtin_function_or_method method_descriptor getset_descriptor property dtype device map zip filter "
    "enumerate torch.return_types.max torch.return_types.min torch.return_types.sort "
    "torch.device torch.dtype torch.Size torch.Tensor"
)
_DTYPES = words(
    "Float Double Half BFloat16 Long Int Short Char Byte Bool ComplexFloat ComplexDouble float double half "
    "bfloat16 long int short bool float16 float32 float64 int8 int16 int32 int64 uint8 complex64 complex128 "
    "torch.FloatTensor torch.DoubleTensor torch.LongTensor torch.IntTensor torch.BoolTensor"
)
_ARGUMENTS = words(
    "input self other dim size index src mat1 mat2 weight __init__ forward __call__ Tensor TensorBase _TensorBase torch"
)
_GRAD_NODES = words(
    "Abs Add Addmm Amax Bmm Cat Clamp Clone Copy Cumsum Div Exp Expand Gather Index IndexPut Log LogSoftmax Max "
    "Mean Mm Mul Neg Permute Pow Relu Reshape Rsqrt Select Sigmoid Slice Softmax Sqrt Squeeze Stack Sub Sum T "
    "Tanh Transpose Unsqueeze View Where AsStrided"
)
_OPERATORS = words("+ - * / // % ** @ & | ^ < > <= >= += -= *= /= @= << >> ** or pow()")

# {int} {name} {type} {dtype} {node} {sizes} {operator} are checked; {any} is never shown; {rest} is cut off.
_TEMPLATES = """\
The size of tensor a ({int}) must match the size of tensor b ({int}) at non-singleton dimension {int}
The expanded size of the tensor ({int}) must match the existing size ({int}) at non-singleton dimension {int}{rest}
expand({any}, size={any}): the number of sizes provided ({int}) must be greater or equal to the number of dimensions in the tensor ({int})
mat1 and mat2 shapes cannot be multiplied ({int}x{int} and {int}x{int})
mat1 and mat2 must have the same dtype, but got {dtype} and {dtype}
size mismatch, got input ({int}), mat ({int}x{int}), vec ({int})
inconsistent tensor size, expected tensor [{int}] and src [{int}] to have the same number of elements, but got {int} and {int} elements respectively
expected m1 and m2 to have the same dtype, but got: {dtype} != {dtype}
shape '[{sizes}]' is invalid for input of size {int}
view size is not compatible with input tensor's size and stride (at least one dimension spans across two contiguous subspaces). Use .reshape(...) instead.
Dimension out of range (expected to be in range of [{int}, {int}], but got {int})
Dimension specified as {int} but tensor has no dimensions
index {int} is out of bounds for dimension {int} with size {int}
index {int} is out of bounds for dimension {int} with size {int}{rest}
index out of range in self
too many indices for tensor of dimension {int}
invalid index of a 0-dim tensor. {rest}
slice() cannot be applied to a 0-dim tensor.
only integer tensors of a single element can be converted to an index
tensors used as indices must be long, int, byte or bool tensors
The shape of the mask [{sizes}] at index {int} does not match the shape of the indexed tensor [{sizes}] at index {int}
shape mismatch: indexing tensors could not be broadcast together with shapes {any}
shape mismatch: value tensor of shape [{sizes}] cannot be broadcast to indexing result of shape [{sizes}]
Index put requires the source and destination dtypes match, got {dtype} for the destination and {dtype} for the source.
Index tensor must have the same number of dimensions as input tensor
Size does not match at dimension {int} expected index [{sizes}] to be no larger than self [{sizes}] apart from dimension {int}
Boolean value of Tensor with more than one value is ambiguous
Boolean value of Tensor with no values is ambiguous
a Tensor with {int} elements cannot be converted to Scalar
Sizes of tensors must match except in dimension {int}. Expected size {int} but got size {int} for tensor number {int} in the list.
stack expects each tensor to be equal size, but got [{sizes}] at entry {int} and [{sizes}] at entry {int}
stack expects a non-empty TensorList
iteration over a 0-d tensor
len() of a 0-d tensor
zero-dimensional tensor (at position {int}) cannot be concatenated
Tensors must have same number of dimensions: got {int} and {int}
The number of dimensions in the tensor input does not match the length of the desired ordering of dimensions i.e. input.dim() = {int} is not equal to len(dims) = {int}
permute(sparse_coo): {rest}
batch1 and batch2 must be 3D tensors{rest}
Expected size for first two dimensions of batch2 tensor to be: [{sizes}] but got: [{sizes}].
self must be a matrix
mat2 must be a matrix, got {int}-D tensor
t() expects a tensor with <= 2 dimensions, but self is {int}D
1D tensors expected, but got {int}D and {int}D tensors
both arguments to linalg.matmul need to be at least 1D, but they are {int}D and {int}D
output with shape [{sizes}] doesn't match the broadcast shape [{sizes}]
expected scalar type {dtype} but found {dtype}
Expected floating point type for target with class probabilities, got {dtype}
result type {dtype} can't be cast to the desired output type {dtype}
Found dtype {dtype} but expected {dtype}
"{any}" not implemented for '{dtype}'
{any}(): could not infer output dtype. {rest}
{any}: could not infer output dtype. {rest}
mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: {dtype}
Can only calculate the mean of floating types. Got {dtype} instead.
only Tensors of floating point dtype can require gradients
only Tensors of floating point and complex dtype can require gradients
Only Tensors of floating point and complex dtype can require gradients
Integers to negative integer powers are not allowed.
Subtraction, the `-` operator, with a bool tensor is not supported. {rest}
Subtraction, the `-` operator, with two bool tensors is not supported. {rest}
Negation, the `-` operator, on a bool tensor is not supported. {rest}
Expected all tensors to be on the same device, but found at least two devices{rest}
element {int} of tensors does not require grad and does not have a grad_fn
One of the differentiated Tensors does not require grad
One of the differentiated Tensors appears to not have been used in the graph. Set allow_unused=True if this is the desired behavior.
grad can be implicitly created only for scalar outputs
Mismatch in shape: grad_output[{int}] has a shape of torch.Size([{sizes}]) and output[{int}] has a shape of torch.Size([{sizes}]).
Trying to backward through the graph a second time (or directly access saved tensors after they have already been freed). {rest}
one of the variables needed for gradient computation has been modified by an inplace operation: [{dtype} [{sizes}]], which is output {int} of {node}, is at version {int}; expected version {int} instead. {rest}
one of the variables needed for gradient computation has been modified by an inplace operation{rest}
a leaf Variable that requires grad is being used in an in-place operation.
a view of a leaf Variable that requires grad is being used in an in-place operation.
Output {int} of {node} is a view and is being modified inplace. {rest}
Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.
can't retain_grad on Tensor that has requires_grad=False
you can only change requires_grad flags of leaf variables.{rest}
can't optimize a non-leaf Tensor
unsupported operation: more than one element of the written-to tensor refers to a single memory location. {rest}
function {any} returned an incorrect number of gradients (expected {int}, got {int})
function {any} returned a gradient different than None at position {int}, but the corresponding forward input was not a Variable
function {any} returned an invalid gradient at index {int} - got [{sizes}] but expected shape compatible with [{sizes}]
cannot assign module before Module.__init__() call
cannot assign parameters before Module.__init__() call
Module [{any}] is missing the required "forward" function
cannot assign '{any}' as parameter '{name}' (torch.nn.Parameter or None expected)
attribute '{name}' already exists
Expected {int} {name} arguments, got {int}
dropout probability has to be between 0 and 1, but got {any}
Expected p_in >= 0 && p_in <= 1 to be true, but got false. {rest}
min(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the 'dim' argument.
max(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the 'dim' argument.
amax(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the 'dim' argument.
split_with_sizes expects split_sizes to sum exactly to {int} (input tensor's size at dimension {int}), but got split_sizes=[{sizes}]
chunk expects `chunks` to be greater than 0, got: {int}
Trying to create tensor with negative dimension {int}: [{sizes}]
Expected target size [{sizes}], got [{sizes}]
Expected input batch_size ({int}) to match target batch_size ({int}).
Target {int} is out of bounds.
input must be 4-dimensional
{name}() missing {int} required positional argument: '{name}'
{name}() missing {int} required positional arguments: '{name}' and '{name}'
{name}() missing {int} required positional arguments: {rest}
{name}() missing {int} required keyword-only argument: '{name}'
{name}() takes {int} positional arguments but {int} were given
{name}() takes {int} positional argument but {int} were given
{name}() takes from {int} to {int} positional arguments but {int} were given
{name}() takes no arguments
{name}() takes no keyword arguments
{name}() got an unexpected keyword argument '{name}'
{name}() got an unexpected keyword argument '{name}'. Did you mean '{name}'?
{name}() got multiple values for argument '{name}'
{name}(): argument '{name}' (position {int}) must be {type}, not {type}
{name}(): argument '{name}' must be {type}, not {type}
{name}() received an invalid combination of arguments - {rest}
{name}() takes {int} positional arguments but {int} was given
{name}.__init__() missing {int} required positional argument: '{name}'
{name}.forward() missing {int} required positional argument: '{name}'
{name}.forward() takes {int} positional arguments but {int} were given
{name}.__init__() takes {int} positional arguments but {int} were given
'{type}' object has no attribute '{name}'
'{type}' object has no attribute '{name}'. Did you mean: '{name}'?
type object '{type}' has no attribute '{name}'
module '{name}' has no attribute '{name}'
module '{name}' has no attribute '{name}'. Did you mean: '{name}'?
'{type}' object is not callable
'{type}' object is not iterable
'{type}' object is not subscriptable
'{type}' object does not support item assignment
'{type}' object cannot be interpreted as an integer
'{type}' object is not an iterator
'{type}' object does not support the context manager protocol
cannot unpack non-iterable {type} object
Numpy is not available
object of type '{type}' has no len()
unsupported operand type(s) for {operator}: '{type}' and '{type}'
bad operand type for unary {operator}: '{type}'
'{operator}' not supported between instances of '{type}' and '{type}'
can't multiply sequence by non-int of type '{type}'
can only concatenate {type} (not "{type}") to {type}
must be real number, not {type}
expected Tensor as element {int} in argument {int}, but got {type}
unhashable type: '{type}'
list indices must be integers or slices, not {type}
tuple indices must be integers or slices, not {type}
string indices must be integers, not '{type}'
list index out of range
tuple index out of range
string index out of range
list assignment index out of range
pop from empty list
name '{name}' is not defined
name '{name}' is not defined. Did you mean: '{name}'?
name '{name}' is not defined. Did you forget to import '{name}'?
cannot access local variable '{name}' where it is not associated with a value
cannot access free variable '{name}' where it is not associated with a value in enclosing scope
No module named '{name}'
cannot import name '{name}' from '{name}'{rest}
division by zero
float division by zero
integer division or modulo by zero
integer modulo by zero
math domain error
math range error
expected a nonnegative input, got {any}
too many values to unpack (expected {int})
too many values to unpack (expected {int}, got {int})
not enough values to unpack (expected {int}, got {int})
could not convert string to float: {rest}
invalid literal for int() with base {int}: {rest}
cannot convert float NaN to integer
cannot convert float infinity to integer
maximum recursion depth exceeded{rest}
range() arg 3 must not be zero
max() arg is an empty sequence
min() arg is an empty sequence
max() iterable argument is empty
min() iterable argument is empty
super(): no arguments
generator raised StopIteration
dictionary changed size during iteration
a tensor of {int} elements, shape ({sizes}); the limit is {int}
more than {int} values in one message
more than {int} tensors in one message
more than {int} bytes of tensors in one message
tensors of more than {int} elements in one message
more than {int} objects held at once
an integer of more than {int} bits
a dict of more than {int} entries
a dict key of type {type}
a text with lone surrogates
nested deeper than {int}
a tensor of {int} dimensions
"""  # noqa: E501  the messages are as long as Python and torch made them

_SLOTS = {
    "int": r"-?\d[\d,]*",
    "name": r"[\w.]+",
    "type": r"[\w.]+",
    "dtype": r"(?:c10::|torch\.)?[\w.]+",
    "node": r"\w+",
    "sizes": r"[-\d, ]*",
    "operator": "(?:" + "|".join(map(re.escape, sorted(_OPERATORS, key=len, reverse=True))) + r"|[^\w\s]+)",
    "any": r".*?",
    "rest": r".*",
}


@dataclass(frozen=True)
class Known:
    """What a student may be shown because it is in none of the hidden inputs.

    `names` and `numbers` stand in the stub, in the suite's sizes, or in the line that raised.
    """

    names: frozenset[str]
    numbers: frozenset[int]
    types: frozenset[str] = TYPES


def known_words(*sources: str) -> frozenset[str]:
    """The identifiers in some sources."""
    return frozenset(word for source in sources for word in re.findall(r"[^\W\d]\w*", source))


def known_numbers(*sources: str) -> frozenset[int]:
    """The whole numbers in some sources, as far as they may be sizes."""
    found = {
        int(digits) for source in sources for digits in re.findall(r"(?<![\w.])\d{1,6}(?![\w.])", source)
    }
    return frozenset(number for number in found if number <= _LARGEST)


def known_in_line(line: str, known: Known) -> Known:
    """What is known, and what stands in a line of the student's that is shown anyhow."""
    line = line[:_QUOTED]
    numbers = {int(n.replace("_", "")) for n in re.findall(r"(?<![\w.])\d[\d_]{0,8}(?![\w.])", line)}
    products = {a * b for a in numbers for b in numbers}
    return Known(known.names | known_words(line), known.numbers | numbers | products, known.types)


def shown_text(text: str, known: Known) -> str | None:
    """A well-known message with its slots checked; None where the text is none of these."""
    text = " ".join(text.split())[:2000]
    for pattern, template in _table():
        if found := pattern.fullmatch(text):
            return _filled(template, list(found.groups()), known)
    return None


def raised_constant(source: str, line: int | None) -> str | None:
    """The text of the `raise` or `assert` that stands at a line, if it is written out there.

    It says no more than the line does.
    """
    if line is None:
        return None
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    best: ast.Raise | ast.Assert | None = None
    for node in ast.walk(tree):
        if isinstance(node, (ast.Raise, ast.Assert)) and node.lineno <= line <= (node.end_lineno or 0):
            best = node
    said: ast.expr | None = None
    if isinstance(best, ast.Assert):
        said = best.msg
    elif best is not None and isinstance(best.exc, ast.Call) and len(best.exc.args) == 1:
        said = best.exc.args[0]
    return said.value if isinstance(said, ast.Constant) and isinstance(said.value, str) else None


def shown_type(name: str) -> str:
    """The type of an exception, if it is one of Python's or torch's own; else empty."""
    cls = getattr(builtins, name, None)
    if isinstance(cls, type) and issubclass(cls, BaseException):
        return name
    return name if name in _TORCH_ERRORS else ""


_TORCH_ERRORS = frozenset({"OutOfMemoryError", "AcceleratorError", "LinAlgError", "_LinAlgError"})


def line_exists(source: str, line: int | None) -> bool:
    """Whether a student's file has such a line with something in it: the number is a claim."""
    lines = source_lines(source)
    return line is not None and 0 < line <= len(lines) and bool(lines[line - 1].strip())


@cache
def _table() -> tuple[tuple[re.Pattern[str], str], ...]:
    table = []
    for template in _TEMPLATES.splitlines():
        parts = re.split(r"\{(\w+)\}", template)
        pattern = "".join(
            re.escape(" ".join(part.split()) if not part.strip() else part)
            if n % 2 == 0
            else f"({_SLOTS[part]})"
            for n, part in enumerate(parts)
        )
        table.append((re.compile(pattern, re.DOTALL), template))
    return tuple(table)


@cache
def _wire_numbers() -> frozenset[int]:
    limits = asdict(WireLimits())
    return frozenset({*limits.values(), 4 * limits["elements"], 8 * limits["integer_bytes"] - 8})


def _filled(template: str, found: list[str], known: Known) -> str:
    parts = re.split(r"\{(\w+)\}", template)
    said, left = [parts[0]], _MOST_NUMBERS
    for slot, value, after in zip(parts[1::2], found, parts[2::2], strict=True):
        shown, used = _slot(slot, value, known, left)
        left -= used
        said += [shown, after]
    return "".join(said).strip()


def _slot(slot: str, value: str, known: Known, left: int) -> tuple[str, int]:
    """A slot as it is shown, and how many numbers that took."""
    if slot in ("int", "sizes"):
        return _numbers(value.split(", ") if slot == "sizes" else [value], known, left)
    if slot == "rest":
        return "", 0
    allowed: Iterable[str] = ()
    if slot == "name":
        parts = value.split(".")
        return (value if all(part in known.names | _ARGUMENTS for part in parts) else MASK), 0
    if slot == "type":
        allowed = known.types | known.names
    elif slot == "dtype":
        value = value.removeprefix("c10::")
        allowed = _DTYPES | {f"torch.{name}" for name in _DTYPES}
    elif slot == "node":
        value = re.sub(r"\d$", "", value)
        allowed = {f"{name}Backward" for name in _GRAD_NODES}
    elif slot == "operator":
        allowed = _OPERATORS
    return (value if value in allowed else MASK), 0


def _numbers(texts: list[str], known: Known, left: int) -> tuple[str, int]:
    shown = []
    for text in texts:
        digits = text.replace(",", "").strip()
        number = int(digits) if re.fullmatch(r"-?\d{1,12}", digits) else None
        fits = number is not None and (abs(number) <= 4 or number in known.numbers)
        free = number is not None and number in _wire_numbers()
        if fits and left > 0 and not free:
            left -= 1
        elif not free:
            text = MASK if text else ""
        shown.append(text)
    return ", ".join(shown), sum(text not in (MASK, "") for text in shown)
