"""Indices that an Embedding cannot look up: their dtype and range; one-hot, CUDA asserts."""

from __future__ import annotations

from typing import Any, Final

from rnnshape.analysis.explanation.clues import Clues
from rnnshape.analysis.explanation.conditions import equals, mentions, unless
from rnnshape.analysis.explanation.entry import Cause, Entry
from rnnshape.analysis.explanation.wording import Wording

_VOCABULARY: Final = Cause(
    why="The vocabulary is larger than the Embedding: it has words of the test set, an unknown or"
    " a padding token, or indices that count from 1.",
    tell="`print(x.min(), x.max(), embedding.num_embeddings)`: the maximum must be smaller.",
    fix="nn.Embedding(len(vocabulary) + 1, embedding_dim)  # more than the largest index",
)
_NEGATIVE: Final = Cause(
    why="An index is negative, such as -1 for padding.",
    tell="`print(x.min())` is negative.",
    fix="x = x.clamp(min=0)  # with nn.Embedding(..., padding_idx=0) and words from 1",
)


# Types


def _indices(clues: Clues) -> dict[str, Any]:
    got = clues.get("got")
    known = got is not None and "cputype" not in got.casefold()
    return {"shown": f", but got {got}" if known else ", but got another type"}


_FLOAT = Entry(
    mistake="embedding-float",
    wordings=(
        Wording(
            "Expected tensor for argument #{number:int} 'indices' to have one of the following"
            " scalar types: Long, Int; but got {got:word} instead",
            "1.8 on",
        ),
        Wording(
            "Expected tensor for argument #{number:int} 'indices' to have scalar type Long; but got"
            " {got:word} instead",
            "1.0 to 1.7",
        ),
        Wording(
            "Expected object of type {wanted:word} but found type {got:word} for argument"
            " #{number:int} 'index'",
            "0.4",
        ),
        Wording(
            "Expected object of scalar type Long but got scalar type {got:word} for argument"
            " #{number:int} 'index'",
            "1.0 to 1.4",
        ),
        Wording(
            "Expected object of type Variable[{wanted:word}] but found type Variable[{got:word}]"
            " for argument #{number:int} 'index'",
            "0.3",
        ),
        Wording("index_select(): Expected dtype int32 or int64 for index", "1.5 on"),
        Wording("embedding(): Expected dtype int32 or int64 for index", "1.5 on"),
    ),
    read=_indices,
    meaning="An Embedding looks up indices, which are int64 (`long`){shown}.",
    causes=(
        Cause(
            why="{often}the words or items became floats on the way: `torch.Tensor(...)`,"
            " `torch.zeros(...)` for padding, `.float()`, or float columns of a table.",
            tell="`print(x.dtype)` shows what reaches the Embedding.",
            fix="embedded = embedding(x.long())",
        ),
        Cause(
            why="The input is not indices but features, which need no Embedding.",
            tell="`print(x[0])` shows numbers that are not whole.",
            fix="output, state = layer(x)  # {class_name}(input_size=x.size(-1), ...)",
        ),
    ),
    provoked_by=("nn.Embedding(9, 3)(z(5))", "nn.Embedding(9, 3)(z(5).short())"),
)

_NO_TENSOR = Entry(
    mistake="embedding-no-tensor",
    wordings=(
        Wording(
            "embedding(): argument 'indices' (position {position:int}) must be Tensor, not"
            " {got:word}",
            "0.4 on",
        ),
        Wording("argument 'indices' must be Tensor, not {got:word}", "0.4 on"),
    ),
    meaning="The Embedding got a `{got}` in place of a tensor of indices.",
    causes=(
        Cause(
            why="The sequences are Python lists or NumPy arrays.",
            tell="`print(type(x))` shows it.",
            fix="embedded = embedding(torch.as_tensor(x, dtype=torch.long))  # lists of one length",
            when=unless(equals("got", "PackedSequence", "tuple", "NoneType")),
        ),
        Cause(
            why="The sequences were packed before the Embedding.",
            fix="packed = pack_padded_sequence(embedding(x), lengths, batch_first=True)",
            when=equals("got", "PackedSequence"),
        ),
        Cause(
            why="A batch of words and lengths, or the output of {some_layer}, was passed as a"
            " whole.",
            tell="`print(len(x), type(x[0]))` shows it.",
            fix="words, lengths = batch\nembedded = embedding(words)",
            when=equals("got", "tuple"),
        ),
        Cause(
            why="Nothing was passed: a function returned no value, or an argument is missing.",
            fix="return words  # at the end of the function that makes the batch",
            when=equals("got", "NoneType"),
        ),
        Cause(
            why="The sequences have different lengths.",
            tell="`print(set(map(len, x)))` shows several.",
            fix="x = torch.nn.utils.rnn.pad_sequence([torch.tensor(s) for s in x],"
            " batch_first=True)",
            when=equals("got", "list"),
        ),
    ),
    provoked_by=(
        "nn.Embedding(9, 3)([1, 2])",
        "nn.Embedding(9, 3)(nn.utils.rnn.pack_sequence([z(3).long()]))",
        "nn.Embedding(9, 3)((z(3).long(),))",
        "nn.Embedding(9, 3)(None)",
    ),
)

# Values


def _table(clues: Clues) -> dict[str, Any]:
    index, rows = clues.get("index"), clues.get("last")
    if index is None:
        return {"shown": "an index is not below the number of its rows, or negative"}
    return {"shown": f"index {index} was asked of a table whose last index is {rows}"}


_RANGE = Entry(
    mistake="embedding-range",
    wordings=(
        Wording("index out of range in self", "1.5 on"),
        Wording(
            "index out of range: Tried to access index {index:int} out of table with {last:int}"
            " rows",
            "1.2 to 1.4",
        ),
        Wording("index out of range at {file}TH", "0.1 to 1.1"),
        Wording("srcIndex < srcSelectDimSize", "0.2 on, CUDA"),
    ),
    read=_table,
    meaning="The Embedding has no row for an index: {shown}.",
    causes=(
        _VOCABULARY,
        _NEGATIVE,
        Cause(
            why="The sizes of the Embedding are swapped: the first is the number of words.",
            tell="`print(embedding)` shows Embedding(words, features).",
            fix="nn.Embedding(num_embeddings=len(vocabulary), embedding_dim=300)",
        ),
        Cause(
            why="Features were passed in place of indices, such as what an encoder takes to a"
            " decoder.",
            tell="`print(x[0])` shows values that are not indices of words.",
            fix="output, state = layer(x.float())  # without the Embedding",
        ),
    ),
    provoked_by=(
        "nn.Embedding(9, 3)(torch.tensor([9]))",
        "nn.Embedding(9, 3)(torch.tensor([-1]))",
    ),
)


_of_probabilities: Final = mentions("input_val >= zero", "binary_cross_entropy", "bceloss")


_ASSERT = Entry(
    mistake="device-assert",
    wordings=(
        Wording("device-side assert triggered", "0.1 on, CUDA"),
        Wording("cublas runtime error", "0.1 to 1.4, CUDA"),
        Wording("CUBLAS_STATUS_ALLOC_FAILED", "1.0 on, CUDA"),
        Wording("CUBLAS_STATUS_NOT_INITIALIZED", "1.0 on, CUDA"),
        Wording("CUBLAS_STATUS_EXECUTION_FAILED", "1.0 on, CUDA"),
    ),
    read=lambda clues: None if clues.mentions("tensorflow", "stream_executor") else {},
    meaning="A kernel on the GPU failed, at this line or before: the message says neither which nor"
    " why.",
    causes=(
        Cause(
            why="{often}an Embedding has no row for an index.",
            tell="`print(x.min(), x.max(), embedding.num_embeddings)`: the maximum must be"
            " smaller.",
            fix="nn.Embedding(len(vocabulary) + 1, embedding_dim)  # more than the largest index",
            certain=mentions("srcselectdimsize"),
        ),
        Cause(
            why="A target is not one of the classes of the loss, 0 to C - 1.",
            tell="`print(target.min(), target.max(), scores.shape)` shows it.",
            fix="nn.Linear(hidden_size, number_of_classes)",
            likely=mentions("nll", "cross_entropy"),
            certain=mentions("n_classes"),
        ),
        Cause(
            why="BCELoss got a value that is not between 0 and 1, such as a score without a"
            " sigmoid or a NaN.",
            tell="`print(output.min(), output.max())` shows it.",
            fix="loss = nn.BCEWithLogitsLoss()(output, target)  # in place of sigmoid and BCELoss",
            when=_of_probabilities,
            certain=_of_probabilities,
        ),
        Cause(
            why="The GPU has no memory left, or its libraries do not fit the driver.",
            tell="`nvidia-smi` shows the memory that is free.",
            fix="loader = DataLoader(dataset, batch_size=8)  # smaller",
            when=mentions("cublas"),
        ),
        Cause(
            why="To see the real message, run the same batch on the CPU, or wait for each kernel.",
            fix="CUDA_LAUNCH_BLOCKING=1 python train.py",
        ),
    ),
    source="c10/cuda/CUDAException.cpp",
)

_PADDING = Entry(
    mistake="padding-index",
    wordings=(Wording("Padding_idx must be within num_embeddings", "0.4 on"),),
    meaning="`padding_idx` must be one of the rows of the Embedding, 0 to num_embeddings - 1.",
    causes=(
        Cause(
            why="The padding token has no row of its own.",
            tell="`print(len(vocabulary), padding_idx)` shows it.",
            fix="nn.Embedding(len(vocabulary) + 1, embedding_dim, padding_idx=len(vocabulary))",
        ),
    ),
    provoked_by=("nn.Embedding(9, 3, padding_idx=9)",),
)

_PRETRAINED = Entry(
    mistake="embedding-weights",
    wordings=(
        Wording("Shape of weight does not match num_embeddings and embedding_dim", "0.4 on"),
        Wording("Embeddings parameter is expected to be 2-dimensional", "0.4 on"),
    ),
    meaning="Pretrained vectors are a matrix of one row for each word, of embedding_dim columns.",
    causes=(
        Cause(
            why="The sizes that were given are not those of the vectors.",
            tell="`print(vectors.shape)` shows it.",
            fix="nn.Embedding.from_pretrained(vectors, freeze=False)  # takes their sizes",
        ),
    ),
    provoked_by=("nn.Embedding(9, 3, _weight=z(9, 4))", "nn.Embedding.from_pretrained(z(9))"),
)

_BAG = Entry(
    mistake="embedding-bag-offsets",
    wordings=(Wording("offsets has to be a 1D Tensor but got", "0.4 on"),),
    meaning="An EmbeddingBag sums the words of each text; {some_layer} needs them one by one.",
    causes=(
        Cause(
            why="nn.EmbeddingBag was used where a sequence is wanted.",
            fix="nn.Embedding(num_embeddings, embedding_dim)  # (batch, seq, embedding_dim)",
        ),
    ),
    provoked_by=("nn.EmbeddingBag(9, 3)(z(3).long())",),
)

_ONE_HOT = Entry(
    mistake="one-hot",
    wordings=(
        Wording("one_hot is only applicable to index tensor", "1.1 on"),
        Wording("Class values must be smaller than num_classes", "1.1 on"),
        Wording("Class values must be non-negative", "1.1 on"),
    ),
    meaning="`one_hot` takes indices of dtype int64, from 0 to num_classes - 1.",
    causes=(
        Cause(
            why="The indices are floats.",
            tell="`print(x.dtype)` shows it.",
            fix="x = torch.nn.functional.one_hot(x.long(), num_classes).float()",
            when=mentions("only applicable"),
        ),
        Cause(
            why="An index is num_classes or more, or negative, such as -1 for padding.",
            tell="`print(x.min(), x.max())` shows it.",
            fix="x = torch.nn.functional.one_hot(x, int(x.max()) + 1).float()",
            when=mentions("class values"),
        ),
    ),
    notes=("`one_hot` returns int64, but {some_layer} needs floats, so add `.float()` after it.",),
    provoked_by=(
        "torch.nn.functional.one_hot(z(3))",
        "torch.nn.functional.one_hot(torch.tensor([3]), 3)",
    ),
)

_INDEX_TYPE = Entry(
    mistake="index-type",
    wordings=(
        Wording("tensors used as indices must be long", "0.4 on"),
        Wording("gather(): Expected dtype int{bits:rest} for index", "1.5 on"),
        Wording("scatter(): Expected dtype int{bits:rest} for index", "1.5 on"),
    ),
    meaning="An index is a tensor of dtype int64 (`long`), or bool for a mask, but got another.",
    causes=(
        Cause(
            why="{often}`lengths` are floats, or were divided by `/`.",
            tell="`print(lengths.dtype)` shows it.",
            fix="last = output[torch.arange(output.size(0)), lengths.long() - 1]  # batch first",
        ),
        Cause(
            why="The mask is of floats or integers.",
            tell="`print(mask.dtype)` shows it.",
            fix="mask = mask.bool()",
        ),
    ),
    provoked_by=("z(3, 3)[z(2)]", "z(3, 5).gather(1, z(3, 2))"),
)

ENTRIES: Final = (
    _FLOAT,
    _NO_TENSOR,
    _RANGE,
    _ASSERT,
    _PADDING,
    _PRETRAINED,
    _BAG,
    _ONE_HOT,
    _INDEX_TYPE,
)
