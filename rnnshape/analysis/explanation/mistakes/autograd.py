"""Gradients: states carried over with their graph, changes in place, what has no gradient."""

from __future__ import annotations

from typing import Any, Final

from rnnshape.analysis.explanation.clues import Clues
from rnnshape.analysis.explanation.conditions import holds, mentions
from rnnshape.analysis.explanation.entry import Cause, Entry, Numbers
from rnnshape.analysis.explanation.wording import Wording
from rnnshape.layer.config import Kind

_DETACH: Final = (
    "hidden = hidden.detach()  # GRU, RNN: before each batch or chunk\n"
    "hidden = tuple(state.detach() for state in hidden)  # LSTM: (h, c)"
)
_DETACH_ONE: Final = "hidden = hidden.detach()  # before each batch or chunk"
_DETACH_PAIR: Final = (
    "hidden = tuple(state.detach() for state in hidden)  # (h, c), before each batch or chunk"
)


def _detach(clues: Clues) -> str:
    """The line that cuts a carried state off, for the kind of the layer where it is known."""
    if clues.kind is None:
        return _DETACH
    return _DETACH_PAIR if clues.kind is Kind.LSTM else _DETACH_ONE


def _cut(clues: Clues) -> dict[str, Any]:
    return {"detach": _detach(clues)}


_SECOND = Entry(
    mistake="backward-twice",
    wordings=(
        Wording("Trying to backward through the graph a second time", "0.1 on"),
        Wording("Trying to backward through the graph second time", "0.1"),
    ),
    read=_cut,
    meaning="`backward` reached a graph that an earlier `backward` has freed.",
    causes=(
        Cause(
            why="{often}the hidden state of the last batch is carried over with its graph, as in"
            " `output, hidden = layer(x, hidden)` or `self.hidden`: cut it off.",
            tell="The first `backward` works, the second fails.",
            fix="{detach}",
        ),
        Cause(
            why="The state should begin anew with each batch.",
            fix="output, hidden = layer(x)  # no state: zeros",
        ),
        Cause(
            why="Two losses share one graph.",
            tell="`backward` is called twice on the same output.",
            fix="(loss_1 + loss_2).backward()",
        ),
        Cause(
            why="Something computed once, before the loop, from parameters is used in every step.",
            tell="A line before the loop uses parameters, such as an initial state or a mask.",
            fix="h_0 = linear(z)  # inside the loop",
        ),
    ),
    notes=(
        (
            "`retain_graph=True` only hides it: the graph then grows with every batch, and from"
            " torch 1.5 on the next error is a change in place."
        ),
    ),
    source="torch/csrc/autograd/saved_variable.cpp; a loop over batches",
)

# Changes in place


def _changed(clues: Clues) -> dict[str, Any]:
    """What the changed tensor may be: the weights have the shape of gates and features."""
    shape, by = clues.get("shape"), clues.get("by") or ""
    numbers = {**_cut(clues), "shown": "", "weight": False, "activation": False, "is": ""}
    if shape is None:
        return numbers
    numbers["shown"] = f" of shape {shape}"
    views = ("T", "Transpose", "AsStrided", "Unsafe", "")
    transposed = by.removesuffix("0").removesuffix("Backward") in views
    gated = len(shape) == 2 and _gates(shape, transposed=bool(by))
    numbers["weight"] = transposed and len(shape) <= 2
    numbers["is"] = gated if numbers["weight"] and gated else ""
    numbers["activation"] = bool(by) and not transposed
    return numbers


def _gates(shape: tuple[int, int], *, transposed: bool) -> str:
    """Which weight of a layer has this shape; "" where none is likely."""
    inner, rows = shape if transposed else (shape[1], shape[0])
    for gates, kind in ((4, "an LSTM"), (3, "a GRU")):
        if rows == gates * inner:
            turned = ", transposed," if transposed else ""
            return f"; `weight_hh` of {kind} with hidden_size {inner}{turned} has this shape"
    return ""


_IN_PLACE = Entry(
    mistake="changed-in-place",
    wordings=(
        Wording(
            "has been modified by an inplace operation: [{type:word} {shape:shape}], which is"
            " output {output:int} of {by:word}, is at version {version:int}; expected version"
            " {expected:int}",
            "1.1 on",
        ),
        Wording(
            "has been modified by an inplace operation: [{type:word} {shape:shape}] is at version"
            " {version:int}; expected version {expected:int}",
            "1.1 on",
        ),
        Wording(
            "has been modified by an inplace operation: [{type:word}], which is output"
            " {output:int} of {by:word}, is at version {version:int}; expected version"
            " {expected:int}",
            "1.1 on",
        ),
        Wording(
            "variables needed for gradient computation has been modified by an inplace operation",
            "0.1 on",
        ),
    ),
    read=_changed,
    meaning="`backward` needs a tensor{shown} as it was, but it was changed after its use{is}.",
    causes=(
        Cause(
            why="{often}the hidden state is carried over with its graph (retain_graph=True), and"
            " `optimizer.step()` has changed the weights since: detach the state.",
            tell="It fails in the second batch; the code has `retain_graph=True` or keeps a state.",
            fix="{detach}",
            likely=holds("weight"),
        ),
        Cause(
            why="A line changes a tensor in place: `x += y`, `x[:, t] = y`, `relu(inplace=True)`,"
            " `x.zero_()`.",
            tell="`torch.autograd.set_detect_anomaly(True)` names the line in which it was used.",
            fix="x = x + y  # a new tensor\n"
            "outputs.append(y)  # in place of outputs[:, t] = y, then torch.stack(outputs, 1)",
            likely=holds("activation"),
        ),
        Cause(
            why="`optimizer.step()` stands between two `backward` calls that need the same weights,"
            " as with two losses or two networks.",
            tell="There are two optimizers or two losses.",
            fix="loss_1.backward(retain_graph=True)\n"
            "loss_2.backward()\n"
            "optimizer_1.step()  # only after all backward calls\n"
            "optimizer_2.step()",
        ),
    ),
    notes=(
        (
            "torch 1.0 to 1.4 said nothing where an optimizer had changed the weights, and computed"
            " wrong gradients."
        ),
    ),
    source="torch/csrc/autograd/saved_variable.cpp; a loop over batches",
)

_LEAF = Entry(
    mistake="leaf-in-place",
    wordings=(
        Wording(
            "leaf Variable that requires grad is being used in an in-place operation", "1.6 on"
        ),
        Wording("leaf Variable that requires grad has been used in an in-place operation", "0.4"),
        Wording("leaf variable has been used in an in-place operation", "0.1"),
        Wording("leaf variable has been moved into the graph interior", "0.4 on"),
    ),
    meaning="A parameter, or a tensor with requires_grad=True, was changed in place.",
    causes=(
        Cause(
            why="{often}weights or biases are initialised, such as the forget gate's bias of an"
            " LSTM.",
            tell="The line that fails assigns to a part of a weight, or calls a method that ends"
            " in _.",
            fix="with torch.no_grad():\n"
            "    layer.bias_ih_l0[hidden_size : 2 * hidden_size].fill_(1.0)  # forget gate",
        ),
        Cause(
            why="An initial state was made with requires_grad=True and then filled or assigned to.",
            tell="`print(h_0.requires_grad, h_0.is_leaf)` shows True True.",
            fix="h_0 = torch.zeros(layers, batch, hidden_size)  # no requires_grad",
        ),
    ),
    provoked_by=(
        "nn.LSTM(3, 4).bias_ih_l0.add_(1)",
        "nn.LSTM(3, 4).bias_ih_l0.__setitem__(0, 1)",
    ),
)

_VIEW = Entry(
    mistake="view-in-place",
    wordings=(
        Wording(
            "Output {output:int} of {by:word} is a view and is being modified inplace", "1.5 on"
        ),
        Wording(
            "Output {output:int} of {by:word} is a view and its base or another view of its base"
            " has been modified inplace",
            "1.7 on",
        ),
    ),
    meaning="A part that `{by}` returned, such as one step or one state, was changed in place.",
    causes=(
        Cause(
            why="{often}steps or states that were taken apart by a loop, `unbind`, `split` or"
            " `chunk` are assigned to.",
            tell="The line that fails has `+=`, `[...] =` or a method that ends in _.",
            fix="h = h + update  # a new tensor; or h = h.clone() before the change",
        ),
    ),
    provoked_by=(
        "(z(3, 2, requires_grad=True) * 1).unbind()[0].add_(1)",
        "(z(3, 2, requires_grad=True) * 1).split(1)[0].add_(1)",
    ),
)

# What has no gradient

_NO_GRAD = Entry(
    mistake="no-gradient",
    wordings=(
        Wording("of tensors does not require grad and does not have a grad_fn", "0.4 on"),
        Wording("of variables does not require grad and does not have a grad_fn", "0.2 to 0.3"),
        Wording("there are no graph nodes that require computing gradients", "0.1 to 0.2"),
    ),
    meaning="The loss depends on no parameter: nothing of its graph requires a gradient.",
    causes=(
        Cause(
            why="{often}the output was cut off before the loss: `.data`, `.detach()`, `.item()`,"
            " `.numpy()`, `torch.tensor(output)` or `argmax`.",
            tell="`print(output.requires_grad)` after each line shows where it becomes False.",
            fix="loss = criterion(output, target)  # the output as the layer returned it",
        ),
        Cause(
            why="The forward pass ran under `torch.no_grad()` or `torch.inference_mode()`.",
            tell="`print(torch.is_grad_enabled())` in the forward pass shows False.",
            fix="with torch.enable_grad():\n    output, state = layer(x)",
        ),
        Cause(
            why="All parameters are frozen.",
            tell="`print([p.requires_grad for p in model.parameters()])` shows it.",
            fix="model.requires_grad_(True)",
        ),
    ),
    notes=("To detach a carried state is right; the output that the loss uses must not be.",),
    provoked_by=("nn.LSTM(3, 4)(z(5, 2, 3))[0].detach().sum().backward()",),
)

_NOT_SCALAR = Entry(
    mistake="backward-not-scalar",
    wordings=(
        Wording("grad can be implicitly created only for scalar outputs", "0.1 on"),
        Wording("backward should be called only on a scalar", "0.1"),
    ),
    meaning="`backward()` begins at one number, but the tensor has several.",
    causes=(
        Cause(
            why="{often}the code calls `output.backward()`, or has a loss for every step or"
            " sequence (reduction='none').",
            tell="`print(loss.shape)` shows a size.",
            fix="loss.mean().backward()  # for padded steps: (loss * mask).sum() / mask.sum()",
        ),
        Cause(
            why="DataParallel returns one loss for each GPU.",
            tell="`print(loss.shape)` shows the number of GPUs.",
            fix="loss.mean().backward()",
            when=mentions("dataparallel", "data_parallel"),
            likely=mentions("dataparallel", "data_parallel"),
        ),
    ),
    provoked_by=("nn.LSTM(3, 4)(z(5, 2, 3))[0].backward()",),
)

_GRAD_SHAPE = Entry(
    mistake="gradient-shape",
    wordings=(
        Wording(
            "Mismatch in shape: grad_output[{entry:int}] has a shape of {got:shape} and"
            " output[{other:int}] has a shape of {expected:shape}",
            "1.0 on",
        ),
    ),
    meaning="The gradient given to `backward` has shape {got}, the output {expected}.",
    causes=(
        Cause(
            why="A gradient must have the shape of the tensor that `backward` is called on.",
            fix="output.backward(torch.ones_like(output))",
        ),
    ),
    provoked_by=("nn.LSTM(3, 4)(z(5, 2, 3))[0].backward(z(5, 2))",),
)

_UNUSED = Entry(
    mistake="unused-in-graph",
    wordings=(
        Wording("appears to not have been used in the graph", "0.4 on"),
        Wording("One of the differentiated Variables appears to not have been used", "0.2 to 0.4"),
    ),
    meaning="A gradient was requested for a tensor that the output does not depend on.",
    causes=(
        Cause(
            why="{often}a copy was used in its place: `.detach()`, `.clone()`, `.to(device)` or"
            " `pack_padded_sequence` made a new tensor before `requires_grad_()`.",
            fix="x = x.to(device).requires_grad_()  # then pack, and call the layer with this x",
        ),
        Cause(
            why="A part of the model was not used, such as `c_n` or a layer that is skipped.",
            fix="torch.autograd.grad(loss, parameters, allow_unused=True)",
        ),
    ),
    provoked_by=("torch.autograd.grad(z(3, requires_grad=True).sum(), z(2, requires_grad=True))",),
)


# Double backward


def _twice(clues: Clues) -> Numbers | None:
    name = clues["function"].casefold()
    known = ("cudnn", "rnn", "lstm", "gru", "miopen")
    return {} if any(word in name for word in known) else None


_DOUBLE = Entry(
    mistake="double-backward",
    wordings=(
        Wording("derivative for {function:name} is not implemented", "0.4 on"),
        Wording("derivative for {function:name} not implemented", "0.4 on"),
        Wording("{function:word} is not differentiable twice", "0.2 to 0.4"),
        Wording("Double backwards is not supported for {function:word}", "1.5 on"),
        Wording("trying to differentiate twice a function that was marked with", "0.2 on"),
        Wording("{function:word}: expected Variable of gradient to be differentiable twice"),
    ),
    read=lambda clues: {} if clues.get("function") is None else _twice(clues),
    meaning="A gradient of a gradient was requested, which the fast kernel of a recurrent layer"
    " does not have.",
    causes=(
        Cause(
            why="A gradient penalty, `create_graph=True`, a Hessian or meta-learning"
            " differentiates twice: run the forward pass without cuDNN (`enabled=False`)."
            " PyTorch's own kernels are slower, but can do it.",
            tell="The code has `create_graph=True`.",
            fix="with torch.backends.cudnn.flags(enabled=False):\n    output, state = layer(x)",
        ),
    ),
    source="tools/autograd/derivatives.yaml, _cudnn_rnn_backward",
)

# Values for NumPy

_NUMPY = Entry(
    mistake="numpy-of-gradient",
    wordings=(
        Wording("Can't call numpy() on Tensor that requires grad", "1.5 on"),
        Wording("Can't call numpy() on Variable that requires grad", "0.4 to 1.4"),
    ),
    meaning="NumPy does not know gradients: a tensor with a graph has to be detached first.",
    causes=(
        Cause(
            why="{often}the output or the state of a layer, or a loss, is plotted or stored.",
            fix="output.detach().cpu().numpy()",
        ),
        Cause(
            why="No gradients are needed, as in evaluation.",
            fix="with torch.no_grad():\n    output, state = layer(x)",
        ),
    ),
    provoked_by=("nn.LSTM(3, 4)(z(5, 2, 3))[0].numpy()",),
)

_NUMPY_DEVICE = Entry(
    mistake="numpy-of-gpu",
    wordings=(
        Wording("can't convert {device:word} device type tensor to numpy", "1.5 on"),
        Wording("can't convert CUDA tensor to numpy", "0.4 to 1.4"),
        Wording("can't convert cuda tensor to numpy (it doesn't support GPU arrays)", "0.2 to 0.3"),
    ),
    meaning="NumPy works in the memory of the CPU, and the tensor is elsewhere.",
    causes=(
        Cause(
            why="{often}the output or the state of a layer on a GPU is plotted or stored.",
            fix="output.detach().cpu().numpy()  # a loss: loss.item()",
        ),
        Cause(
            why="A list of tensors on the GPU was given to NumPy or to sklearn.",
            fix="values = [t.detach().cpu() for t in values]",
        ),
    ),
    provoked_by=("z(3, device='meta').numpy()",),
)

# Others

_NAN = Entry(
    mistake="nan-gradient",
    wordings=(
        Wording(
            "Function '{function:word}' returned nan values in its {output:int}th output", "0.5 on"
        ),
    ),
    meaning="Anomaly detection found NaN in the gradient that `{function}` computes.",
    causes=(
        Cause(
            why="The gradients explode over the steps of a long sequence, as they do in recurrent"
            " layers.",
            tell="`print(torch.nn.utils.clip_grad_norm_(model.parameters(), 1e9))` grows before it"
            " becomes NaN.",
            fix="torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)  # before"
            " optimizer.step()",
            likely=lambda clues: any(
                word in clues["function"].casefold() for word in ("rnn", "lstm", "gru")
            ),
        ),
        Cause(
            why="A square root, a logarithm or a division met a 0, such as in a mean over 0 valid"
            " steps.",
            tell="The traceback of the forward call names the line.",
            fix="(x + 1e-8).sqrt()  # or total / count.clamp(min=1)",
        ),
        Cause(
            why="The input has NaN.",
            tell="`print(x.isnan().any())` shows True.",
            fix="x = torch.nan_to_num(x)",
        ),
    ),
    source="torch/csrc/autograd/python_anomaly_mode.cpp; torch.autograd.set_detect_anomaly(True)",
)

_FLAGS = Entry(
    mistake="flag-of-graph",
    wordings=(
        Wording("you can only change requires_grad flags of leaf variables", "0.1 on"),
        Wording("can't optimize a non-leaf Tensor", "0.4 on"),
        Wording("can't optimize a non-leaf Variable", "0.1 to 0.3"),
    ),
    read=_cut,
    meaning="A tensor that was computed from others can be neither frozen nor optimized itself.",
    causes=(
        Cause(
            why="{often}this is a state that a layer returned, or one that was moved by"
            " `.to(device)` after requires_grad=True.",
            tell="`print(h_0.is_leaf)` shows False.",
            fix="h_0 = nn.Parameter(torch.zeros(layers, 1, hidden_size))  # learned; expand it in"
            " forward",
        ),
        Cause(
            why="The state only has to be cut off from its graph.",
            fix="{detach}",
        ),
    ),
    provoked_by=(
        "nn.GRU(3, 4)(z(5, 2, 3))[1].__setattr__('requires_grad', False)",
        "torch.optim.SGD([nn.GRU(3, 4)(z(5, 2, 3))[1]], 0.1)",
    ),
)

ENTRIES: Final = (
    _SECOND,
    _IN_PLACE,
    _LEAF,
    _VIEW,
    _NO_GRAD,
    _NOT_SCALAR,
    _GRAD_SHAPE,
    _UNUSED,
    _DOUBLE,
    _NUMPY,
    _NUMPY_DEVICE,
    _NAN,
    _FLAGS,
)
