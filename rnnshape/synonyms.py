"""What people who come from elsewhere call things, and what these are called here.

It is imported only for a word that is unknown. Small letters stand for capitals too, and blanks,
dashes, underscores and dots within a word make no difference: `numlayers` is also `num_Layers`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Final, NamedTuple

from rnnshape.errors import near
from rnnshape.fields import FIELDS, Field


def squeezed(name: str) -> str:
    """The name in small letters, without what divides its words."""
    return name.lower().translate(_DIVIDERS)


_DIVIDERS: Final = dict.fromkeys(map(ord, " -_."))


def _table(rows: Mapping[str, str]) -> Mapping[str, str]:
    return {name: meant for meant, names in rows.items() for name in names.split()}


_OF_FIELDS: Final = _table(
    {
        "input_size": "i in inp inputs features feature feat feats infeatures inchannels channels"
        " emb embed embedding embeddings embdim din dimin ninp mels",
        "hidden_size": "h hid hiddens units unit neurons nodes cellsize celldim cellunits cells"
        " statesize width dim dims dimension size latent dmodel modeldim dhidden dimhidden nhid"
        " rnnsize lstmsize grusize rnndim lstmdim grudim outfeatures outchannels outputsize"
        " outputdim outputfeatures",
        "num_layers": "l layer depth stack stacks stacked num hiddenlayers blocks",
        "cell": "cellonly singlestep onestep ascell steponly",
        "bidirectional": "bi bidirection bidirect both bothdirections twoway bilstm bigru birnn",
        "proj_size": "projection project projected lstmp recurrentprojection",
        "nonlinearity": "act activation activationfunction actfn nonlin",
        "bias": "biases",
        "batch_first": "bf batchmajor firstbatch",
        "dropout": "drop dropoutp dropp p dr interlayerdropout",
        "batch_size": "b bs bsz batches minibatch sequences samples examples",
        "seq_len": "s sequence seqs steps step timesteps timestep len length maxlen maxlength"
        " maxseq maxsequence bptt tokens token context window frames",
        "input_shape": "shape inshape xshape batchinputshape batchshape tensorshape inputdims",
        "lengths": "lens seqlengths seqlens sequencelengths inputlengths rowlengths packed pack"
        " packedsequence packpadded packpaddedsequence varlen variablelength padded",
        "unbatched": "nobatch withoutbatch notbatched unbatch singlesequence",
        "with_state": "state initialstate initialstates initstate initstates hx h0"
        " withhidden withh0 withstates zerostate givenstate",
        "device": "dev accelerator backend",
        "dtype": "precision datatype type torchdtype floattype",
        "run": "execute exec prove verify",
    }
)
# What may stand before or after such a name: `num_units`, `lstm_units`, `projection_dim`.
_BEFORE: Final = ("num", "n", "nb", "numberof", "number", "lstm", "gru", "rnn", "use", "with")
_AFTER: Final = ("size", "sizes", "dim", "dims", "len", "length", "count", "rate", "prob", "num")
_NEGATIONS: Final = ("no", "without", "not", "non", "disable")

# Names that say the value too; with None, that it is the default.
_PHRASES: Final[dict[str, tuple[str, Any]]] = {
    "relu": ("nonlinearity", "relu"),
    "tanh": ("nonlinearity", "tanh"),
    **dict.fromkeys(
        ("unidirectional", "unidir", "oneway", "onedirection"), ("bidirectional", None)
    ),
    **dict.fromkeys(("timemajor", "seqfirst", "sequencefirst", "timefirst"), ("batch_first", None)),
    **dict.fromkeys(("gpu", "gpus", "cuda", "nvidia"), ("device", "cuda")),
    **dict.fromkeys(("mps", "metal"), ("device", "mps")),
    **{name: ("device", name) for name in ("cpu", "xpu", "meta")},
    **dict.fromkeys(("half", "fp16", "float16", "f16"), ("dtype", "float16")),
    **dict.fromkeys(("bf16", "bfloat16"), ("dtype", "bfloat16")),
    **dict.fromkeys(("float", "fp32", "float32", "f32"), ("dtype", "float32")),
    **dict.fromkeys(("double", "fp64", "float64", "f64"), ("dtype", "float64")),
    **dict.fromkeys(
        (
            *("dryrun", "skiprun", "notorch", "withouttorch", "noexec"),
            *("formulasonly", "offline", "predict", "predictonly", "noverification", "nocheck"),
        ),
        ("run", False),
    ),
}

SECTIONS: Final = _table(
    {
        "header": "heading title constructor call",
        "shapes": "shape sizes dims dimensions tensors axes input inputs io",
        "states": "state hn cn h0 c0 hx cx output outputs out hidden hiddenstate cellstate"
        " relations equalities",
        "code": "pytorch snippet example program script source",
        "grid": "timeline unrolled unroll timesteps steps",
        "diagram": "picture graph network net mermaid draw drawing image figure architecture arch"
        " visual visualize viz schema",
        "weights": "weight params param parameters parameter bias biases matrices statedict"
        " numparams nparams numparameters",
        "arithmetic": "formula formulas calculation math sum",
        "gates": "gate equations equation eqs cell rows ifgo",
        "layouts": "layout batchfirst",
        "compare": "comparison ratio ratios alternatives siblings",
        "cost": "costs memory mem ram vram macs mac flops flop gflops madds compute bytes mb"
        " complexity footprint resources",
        "frameworks": "framework keras tensorflow tf tf1 jax flax linen nnx onnx mxnet cudnn onednn"
        " tensorrt coreml port porting convert conversion",
        "findings": "finding notes note warnings advice",
        "expectations": "expect expectation expected",
        "time": "timing speed latency benchmark runtime",
        "training": "train backward autograd activations",
        "verification": "verify verdict proof verified result",
        "all": "everything",
    }
)

FORMATS: Final = _table(
    {
        "table": "text txt plain ascii terminal console tables",
        "markdown": "md mkd mdown gfm",
        "html": "htm web",
        "latex": "tex",
        "junit": "xml junitxml",
    }
)

_FRAMEWORKS: Final = _table(
    {
        "keras": "keras3 tf tf2 tensorflow tensorflow2 tfkeras",
        "tf1": "tensorflow1 tfv1",
        "linen": "flax jax flaxlinen",
        "nnx": "flaxnnx",
        "onnx": "ort onnxruntime",
        "mxnet": "gluon mx",
        "onednn": "mkldnn dnnl",
        "tensorrt": "trt",
        "coreml": "coremltools mil apple",
    }
)
_COLORS: Final = _table({"never": "no off none false 0", "always": "yes on true force 1"})
_COLUMNS: Final = _table(
    {
        "parameters": "params param parameter size weights count",
        "macs": "mac flops flop cost compute",
        "name": "names layer target",
    }
)
_MERGES: Final = _table({"concat": "cat concatenate none false", "sum": "add added plus"})
_SIZES: Final = _table({"hidden": "hiddensize units h", "proj": "projsize projection"})
# The values of these options.
OF_VALUES: Final[Mapping[str, Mapping[str, str]]] = {
    "--show": SECTIONS,
    "--format": FORMATS,
    "--to": _FRAMEWORKS,
    "--color": _COLORS,
    "--sort": _COLUMNS,
    "--merge": _MERGES,
    "--solve": _SIZES,
}

# Options that ask other tools to fail, which `check` does by itself.
STRICT: Final = frozenset({"strict", "fail", "error", "exitcode", "failonerror", "errorexitcode"})

QUANTITIES: Final = _table(  # of expectations
    {
        "parameters": "param parameter weights count numparams nparams numparameters totalparams"
        " parametercount",
        "macs": "mac madds multiplyadds",
        "flops": "flop",
        "parameter_bytes": "memory mem size modelsize parametersize weightbytes parambytes"
        " parammemory bytesofparameters",
        "next_linear": "infeatures nextlinear linear outfeatures",
        "output": "out outputs outputshape y",
        "input": "inputs inputshape x",
        "h_n": "h hn h1 ht hidden hx hiddenstate hout",
        "c_n": "c cn c1 ct cell cx cellstate",
        "h_0": "h0",
        "c_0": "c0",
    }
)

_DTYPES: Final = _table(
    {
        "float16": "fp16 f16 float16 half",
        "bfloat16": "bf16 bfloat16 bfloat",
        "float32": "fp32 f32 float32 float single",
        "float64": "fp64 f64 float64 double",
    }
)
_DEVICES: Final = _table(
    {"cuda": "gpu nvidia cuda rocm hip", "mps": "metal apple mps", "xpu": "intel xpu", "cpu": "cpu"}
)

# Layers that have no command of their own, as targets in one word.
LAYERS: Final = {
    **{
        name: f"{kind}{options}"
        for kind in ("lstm", "gru", "rnn")
        for names, options in (
            (("bi{}", "b{}", "bidirectional{}"), " --bidir"),
            (("{}cell", "nn{}cell", "torchnn{}cell"), " --cell"),
            (("nn{}", "torchnn{}", "cudnn{}", "uni{}"), ""),
        )
        for name in (pattern.format(kind) for pattern in names)
    },
    **dict.fromkeys(("vanilla", "vanillarnn", "elman", "elmanrnn", "simplernn", "srn"), "rnn"),
    **dict.fromkeys(("rnntanh", "tanhrnn", "basicrnn", "plainrnn"), "rnn"),
    **dict.fromkeys(("rnnrelu", "relurnn", "irnn"), "rnn --nonlinearity relu"),
    "lstmp": "lstm --proj 20",
}

# The first word of a command line: the command, an option, or "" where the next words say it.
COMMANDS: Final = _table(
    {
        "--version": "version ver",
        "--help": "help usage man options commands list ls",
        "inspect": "explain read parse call",
        "compare": "diff vs versus cmp comparison grid sweep",
        "budget": "fit solve largest biggest maximize optimize",
        "check": "test validate lint ci verify",
        "": "show info summary describe print report layer get display view run new create"
        " about predict measure model size",
    }
)

# Options that are not fields.
OPTIONS: Final = _table(
    {
        "--train": "training backward trainstep trainingstep autograd",
        "--time": "timing timeit benchmark bench speed latency measure profile perf runtime",
        "--expect": "expected expects expectation expectations assert asserts require must ensure",
        "--format": "fmt outputformat",
        "--output": "out outputfile outfile save saveas saveto write tofile export dest file"
        " destination",
        "--show": "section sections display print view include",
        "--to": "convert convertto export port framework",
        "--full": "unfold expand allweights everyweight",
        "--color": "colour colors colours",
        "--only": "module modules filter select",
        "--update": "bless accept overwrite snapshotupdate",
        "--init": "bootstrap",
        "--sort": "sortby orderby order",
        "--limit": "top head rows maxrows",
        "--plot": "chart plotfile",
        "--params": "parameters param nparams numparams maxparams parameterbudget",
        "--macs": "mac maxmacs madds multadds",
        "--bytes": "memory mem ram maxbytes mb",
        "--match": "like sameas equal",
        "--solve": "solvefor find",
    }
)
# Words of a command line that mean an option with its value.
SETTINGS: Final = {
    **dict.fromkeys(
        ("all", "everything", "verbose", "v", "vv", "details", "detailed"), "--show all"
    ),
    **dict.fromkeys(
        ("summary", "brief", "short", "terse", "compact", "minimal", "quiet", "silent", "q"),
        "--show header,shapes,verification",
    ),
    **dict.fromkeys(("nocolor", "nocolour", "nocolors", "monochrome"), "--color never"),
    **dict.fromkeys(("usage", "man", "options", "?"), "--help"),
}
# The same where `rnnshape check` is asked.
SETTINGS_OF_CHECK: Final = dict.fromkeys(("quiet", "silent", "q", "brief", "terse"), "-q")

# Options whose value may be a layer, `--type gru`.
KIND_OPTIONS: Final = frozenset(
    {
        *("type", "model", "mode", "kind", "rnntype", "celltype", "layertype", "rnn", "net"),
        *("arch", "module", "layer", "name", "cells"),
    }
)
DIRECTIONS: Final = frozenset(
    {"d", "dir", "directions", "direction", "numdirections", "ndirections"}
)

# Options to leave out, and why.
NEEDLESS: Final = {
    **dict.fromkeys(("seed", "manualseed", "randomseed"), "nothing that is printed depends on it"),
    **dict.fromkeys(
        ("returnsequences", "returnsequence", "returnstate"),
        "output always has every step, and h_n the last",
    ),
    **dict.fromkeys(
        ("recurrentdropout", "rdropout", "variationaldropout"),
        "PyTorch drops out only between layers, --dropout",
    ),
    **dict.fromkeys(
        ("vocab", "vocabsize", "vocabulary", "nvocab", "numembeddings", "ntokens", "numtokens"),
        "a layer reads embeddings, and --input is their size",
    ),
    "stateful": "PyTorch keeps no state between calls",
    **dict.fromkeys(("eval", "evalmode", "inference"), "no shape depends on it"),
}

_LAST_DEVICE: Final = 127  # PyTorch counts them in eight bits
_ONE_LETTER_OF_FOUR: Final = 0.75  # of difflib's ratio: `lstn` for `lstm`
TRUE: Final = frozenset({"true", "yes", "on", "y", "t", "1"})
FALSE: Final = frozenset({"false", "no", "off", "n", "f", "0", "none"})


class Meant(NamedTuple):
    """A field that is meant, and the value that its name says, if any."""

    field: Field
    value: Any = None
    left_out: bool = False  # the name says that the field has its default


def meant_field(name: str) -> Meant | None:
    """The field that people call `name`, without its dashes, or misspell so; None if unknown."""
    bare = squeezed(name)
    if found := _meant_exactly(bare):
        return found
    for no in _NEGATIONS:
        if bare.startswith(no) and (found := _meant_exactly(bare.removeprefix(no))):
            return _negated(found)
    stems = (
        bare.removeprefix(before).removesuffix(after)
        for before in ("", *(each for each in _BEFORE if bare.startswith(each)))
        for after in ("", *(each for each in _AFTER if bare.endswith(each)))
    )
    known = _by_name()
    return next((Meant(known[stem]) for stem in stems if stem in known), None)


def names_of_fields() -> Iterable[str]:
    """What fields are called, `inputsize`, but for names too short to be misspelt."""
    return (each for each in _by_name() if len(each) > 2)


def misspelt_field(name: str) -> Field | None:
    """The field whose name is nearly `name`; None where none is near."""
    found = near(squeezed(name), names_of_fields())
    return _by_name()[found] if found else None


def dtype_name(name: str) -> str:
    """PyTorch's name of a dtype: `float16` for `fp16`, `Half` or `np.float16`; else `name`."""
    return _DTYPES.get(squeezed(name.rpartition(".")[2]), name)


def device_name(name: str) -> str | None:
    """PyTorch's name of a device, `cuda:1` for `GPU1`, or None where none is meant."""
    stem = name.rstrip("0123456789")
    kind, index = _DEVICES.get(squeezed(stem.rstrip(":"))), name[len(stem) :]
    if kind is None or len(index) > 3 or int(index or 0) > _LAST_DEVICE:
        return None
    return f"{kind}:{int(index)}" if index and kind in ("cuda", "xpu") else kind


def layer_meant(word: str) -> str | None:
    """The target in one word that a name of a layer stands for: `lstm --bidir` for `BiLSTM`."""
    bare = squeezed(word)
    if bare in LAYERS:
        return LAYERS[bare]
    return near(bare, ("lstm", "gru", "rnn"), alike=_ONE_LETTER_OF_FOUR)


def one_of(name: str, choices: Iterable[str], synonyms: Mapping[str, str]) -> str | None:
    """The choice that `name` is in other words or capitals; None if it is not one of them."""
    by_name = {squeezed(choice): choice for choice in choices}
    meant = synonyms.get(squeezed(name), squeezed(name))
    return by_name.get(squeezed(meant))


def _meant_exactly(bare: str) -> Meant | None:
    if bare in _PHRASES:
        name, value = _PHRASES[bare]
        return Meant(FIELDS[name], value, left_out=value is None)
    return Meant(_by_name()[bare]) if bare in _by_name() else None


def _negated(found: Meant) -> Meant:
    if found.field.takes == "switch":
        return Meant(found.field, value=False)
    return Meant(found.field, left_out=True)


@cache
def _by_name() -> dict[str, Field]:
    """Every name of a field, squeezed; its own come before what others are called elsewhere."""
    own = {
        squeezed(name): field
        for field in FIELDS.values()
        for name in (field.name, field.alias, *field.spellings)
    }
    return {**{name: FIELDS[field] for name, field in _OF_FIELDS.items()}, **own}
