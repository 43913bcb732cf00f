"""The layers that stand beside recurrent ones in a sum: they have weights, but no state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rnnshape.layer.config import require_bool, require_size


@dataclass(frozen=True, kw_only=True)
class Linear:
    """`nn.Linear`, applied at every step of every sequence. Raises RequestError for a bad size."""

    class_name: ClassVar[str] = "nn.Linear"

    in_features: int
    out_features: int
    bias: bool = True
    steps: int = 1  # how many rows it reads: L*N, or sum(lengths)

    def __post_init__(self) -> None:
        require_size("in_features", self.in_features, least=1)
        require_size("out_features", self.out_features, least=1)
        require_bool("bias", self.bias)

    @property
    def constructor(self) -> str:
        """The call that builds it."""
        bias = "" if self.bias else ", bias=False"
        return f"{self.class_name}({self.in_features}, {self.out_features}{bias})"

    @property
    def reads(self) -> int:
        """The features of what it reads."""
        return self.in_features

    @property
    def gives(self) -> int:
        """The features of what it gives."""
        return self.out_features

    @property
    def parameters(self) -> int:
        """Elements of its weights."""
        return self.out_features * (self.in_features + self.bias)

    @property
    def macs(self) -> int:
        """Multiply-adds of the matrix product over the whole input."""
        return self.steps * self.in_features * self.out_features


@dataclass(frozen=True, kw_only=True)
class Embedding:
    """`nn.Embedding`, which looks a row up at every step. Raises RequestError for a bad size."""

    class_name: ClassVar[str] = "nn.Embedding"

    num_embeddings: int
    embedding_dim: int
    steps: int = 1  # how many indices it reads: L*N, or sum(lengths)

    reads: ClassVar[None] = None  # indices, which have no features
    macs: ClassVar[int] = 0  # a row is looked up, not computed

    def __post_init__(self) -> None:
        require_size("num_embeddings", self.num_embeddings, least=1)
        require_size("embedding_dim", self.embedding_dim, least=1)

    @property
    def constructor(self) -> str:
        """The call that builds it."""
        return f"{self.class_name}({self.num_embeddings}, {self.embedding_dim})"

    @property
    def gives(self) -> int:
        """The features of what it gives."""
        return self.embedding_dim

    @property
    def parameters(self) -> int:
        """Elements of its weight."""
        return self.num_embeddings * self.embedding_dim
