"""Read a call of `nn.Linear` or `nn.Embedding`, the layers that may stand beside recurrent ones."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from inspect import Parameter, Signature
from typing import Any, Final, NamedTuple

from rnnshape.errors import RequestError, quoted
from rnnshape.layer.stateless import Embedding, Linear
from rnnshape.silence import expression_of
from rnnshape.sources import literal

_CALL: Final = re.compile(r"\s*(?:torch\.)?(?:nn\.)?(Linear|Embedding)\s*\(")


class _Class(NamedTuple):
    """A class of torch.nn: its arguments in order, and which of them change its weights."""

    makes: type[Linear | Embedding]
    arguments: tuple[str, ...]
    sizes: tuple[str, ...]
    counting: tuple[str, ...]
    example: str

    @property
    def signature(self) -> Signature:
        """The arguments as Python binds them; those beside the sizes may be left out."""
        kind, rest = Parameter.POSITIONAL_OR_KEYWORD, self.arguments[len(self.sizes) :]
        sizes = [Parameter(name, kind) for name in self.sizes]
        return Signature([*sizes, *(Parameter(name, kind, default=None) for name in rest)])


_CLASSES: Final[Mapping[str, _Class]] = {
    "Linear": _Class(
        makes=Linear,
        arguments=("in_features", "out_features", "bias"),
        sizes=("in_features", "out_features"),
        counting=("in_features", "out_features", "bias"),
        example="nn.Linear(40, 20)",
    ),
    "Embedding": _Class(
        makes=Embedding,
        arguments=(
            *("num_embeddings", "embedding_dim", "padding_idx", "max_norm", "norm_type"),
            *("scale_grad_by_freq", "sparse"),
        ),
        sizes=("num_embeddings", "embedding_dim"),
        counting=("num_embeddings", "embedding_dim"),
        example="nn.Embedding(1000, 20)",
    ),
}


def looks_like_stateless(text: str) -> bool:
    """Whether a text is meant as a call of one of these layers, right or wrong."""
    return _CALL.match(text) is not None


def read_stateless(text: str) -> Linear | Embedding:
    """The layer that `text` builds: `nn.Linear(40, 20)`. Raises RequestError."""
    match = _CALL.match(text)
    assert match is not None
    found = _CLASSES[match[1]]
    try:
        call = expression_of(text.strip())
    except (SyntaxError, ValueError) as error:
        raise RequestError(
            "{} is not Python", quoted(text), hint=f"as in {found.example}"
        ) from error
    if not isinstance(call, ast.Call) or ast.unparse(call.func).rpartition(".")[2] != match[1]:
        raise RequestError(
            f"{quoted(text)} is more than one call of nn.{match[1]}", hint=f"as in {found.example}"
        )
    return found.makes(**_arguments(found, call))


def _arguments(found: _Class, call: ast.Call) -> dict[str, Any]:
    """The arguments that change the weights, by name."""
    try:
        words = {word.arg or "**": word.value for word in call.keywords}
        nodes = found.signature.bind(*call.args, **words).arguments
    except TypeError as error:
        raise RequestError(
            f"{quoted(ast.unparse(call))}: {error}", hint=f"as in {found.example}"
        ) from error
    for name, node in nodes.items():
        if not literal.is_literal(node):
            raise RequestError(
                f"{name} is {quoted(ast.unparse(node))}, whose value is not known",
                hint=f"the text is read, never run: write values, as in {found.example}",
            )
    return {name: literal.constant(nodes[name], name) for name in found.counting if name in nodes}
