"""Checkpoints that do not fit the model: the names and sizes that load_state_dict refuses."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from rnnshape.analysis.explanation.clues import Clues
from rnnshape.analysis.explanation.commands import INSPECT
from rnnshape.analysis.explanation.conditions import both, either, equals, holds, unless
from rnnshape.analysis.explanation.differences import (
    Difference,
    Module,
    differences,
    modules,
    with_article,
)
from rnnshape.analysis.explanation.entry import Cause, Entry, Numbers
from rnnshape.analysis.explanation.loading import (
    SIZES,
    Loading,
    Rename,
    loading,
    renamed,
    renames,
)
from rnnshape.analysis.explanation.records import Comparison
from rnnshape.analysis.explanation.wording import Wording
from rnnshape.dims import written_shape
from rnnshape.layer.facts import Dims
from rnnshape.layer.weight_names import listed, weight_name

_LOADING: Final = (
    Wording("Error(s) in loading state_dict for {into:word}", "0.4 on"),
    *SIZES,
    Wording("Missing key(s) in state_dict", "0.4 on"),
    Wording("Unexpected key(s) in state_dict", "0.4 on"),
    Wording("IncompatibleKeys(missing_keys=[{keys:rest}", "1.1 on"),
    Wording('unexpected key "{key}" in state_dict', "0.2 to 0.3"),
    Wording("missing keys in state_dict: ", "0.2 to 0.3"),
    # What copying raised in 0.2, after it had printed "While copying the parameter named".
    Wording("invalid argument 2: sizes do not match at ", "0.2"),
    Wording("inconsistent tensor size, expected tensor {of_model:shape} and src ", "0.2 to 0.3"),
)
_FITTING: Final = """own = {{k: v.shape for k, v in model.state_dict().items()}}
fits = {{k: v for k, v in state_dict.items() if own.get(k) == v.shape}}
model.load_state_dict(fits, strict=False)"""
_ONLY_FITTING: Final = Cause(
    why="Only some of the weights are wanted: load those that fit, and train the others again.",
    fix=_FITTING,
    when=holds("strict"),
)


def _examples(names: Sequence[str]) -> str:
    """The first names and how many more there are."""
    return listed([f"`{name}`" for name in names])


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


# --- sizes and arguments of recurrent layers


def _layer(clues: Clues) -> Numbers | None:
    said = loading(clues)
    found = differences(said, clues.around)
    if not found:
        return None
    first, *others = found
    return {
        "difference": first,
        "sentence": first.sentence,
        "calls": first.calls,
        "kinds": first.on_kinds,
        "others": _other_layers(first, others),
        "besides": _besides(said),
        "strict": _strict(said),
        "turned": _turned(clues),
        "hidden_reverse": _hidden_reverse(said, first),
        "first_only": _first_only(clues),
    }


def _other_layers(first: Difference, others: Sequence[Difference]) -> str:
    """A note on the other layers that differ."""
    if not others:
        return ""
    same = first.sentence.replace(f"`{first.name}`", "")
    if all(each.sentence.replace(f"`{each.name}`", "") == same for each in others):
        return f"The same holds for {_examples([each.name for each in others])}."
    shown = [each.sentence for each in others[:3]]
    rest = len(others) - len(shown)
    if rest:
        shown.append(f"{_count(rest, 'more layer')} {'differs' if rest == 1 else 'differ'}.")
    return " ".join(shown)


def _besides(said: Loading) -> str:
    """A note on what differs besides recurrent weights."""
    sized = [name for name in said.sizes if weight_name(name, ()) is None]
    named = [n for n in (*said.missing, *said.unexpected) if weight_name(n, ()) is None]
    parts = [f"Other sizes also differ: {_examples(sized)}."] if sized else []
    parts += [f"Only one side has {_examples(named)}."] if named else []
    return " ".join(parts)


def _turned(clues: Clues) -> str:
    if not clues.mentions("copying a param of"):
        return ""
    return "PyTorch 0.4 wrote the two shapes the wrong way round: above they are the right way."


def _strict(said: Loading) -> str:
    if not said.sizes:
        return ""
    return "`strict=False` does not help here: it ignores names that differ, but never sizes."


def _hidden_reverse(said: Loading, difference: Difference) -> str:
    """A note on a layer whose width alone shows that the one below has two directions."""
    reading = difference.readings[0]
    if "bidirectional" not in reading.differing or any("_reverse" in n for n in said.missing):
        return ""
    sizes = reading.module.sizes
    wide = next((name for name in sizes if re.fullmatch(r"weight_ih_l[1-9]\d*", name)), None)
    if wide is None:
        return ""
    ours, theirs = (shape[1] for shape in sizes[wide])
    return (
        f"`{wide}` has {ours} columns in the checkpoint and {theirs} in the model: it reads one"
        " direction of the layer below, or both. With `strict=False` the `_reverse` weights that"
        " are missing are not listed."
    )


def _first_only(clues: Clues) -> str:
    old = clues.statement.name == "KeyError" or "While copying" in clues.around
    alone = clues.mentions("Error(s) in loading")
    return "PyTorch before 0.4 names the first difference only." if old and not alone else ""


def _compared(clues: Clues) -> Comparison:
    difference: Difference = clues["difference"]
    return difference.comparison


_LAYER: Final = Entry(
    mistake="checkpoint-layer",
    wordings=_LOADING,
    read=_layer,
    meaning="{sentence}",
    compare=_compared,
    causes=(
        Cause(
            why="The model is built with other arguments than the one that was saved.",
            tell="`rnnshape inspect weights.pt` shows those of every layer in the file.",
            fix="{calls}",
        ),
        Cause(
            why="The file belongs to another model: another run, or another version of the code.",
            tell="Look at the config that was saved beside it, and at the code that saved it.",
        ),
        _ONLY_FITTING,
    ),
    notes=(
        "{kinds}",
        "{hidden_reverse}",
        "{others}",
        "{besides}",
        "{turned}",
        "{first_only}",
        "{strict}",
    ),
    more=INSPECT,
    provoked_by=(
        "nn.LSTM(3, 4).load_state_dict(nn.LSTM(3, 5).state_dict())",
        "nn.LSTM(3, 4, bidirectional=True).load_state_dict(nn.LSTM(3, 4).state_dict())",
        "nn.GRU(3, 4).load_state_dict(nn.GRU(3, 4, 2).state_dict())",
        "nn.GRU(3, 4).load_state_dict(nn.LSTM(3, 4).state_dict())",
        "nn.LSTM(3, 4, bias=False).load_state_dict(nn.LSTM(3, 4).state_dict())",
        "nn.LSTM(3, 8, proj_size=4).load_state_dict(nn.LSTM(3, 8).state_dict())",
    ),
)


# --- a dict around the weights

_HOLDER: Final = re.compile(
    r"state_?dict|state$|^(?:model|net|network|weights|params|module|encoder|decoder)",
    re.IGNORECASE,
)
_TRAINING: Final = re.compile(
    r"optim|sched|epoch|step|iter|round|loss|acc|best|arg|config|param|lr$|history|callback|loop"
    r"|version|arch|vocab|word",
    re.IGNORECASE,
)
_NOT_THE_MODEL: Final = re.compile(r"optim|sched|scaler|loss|ema", re.IGNORECASE)


def _wrapped(clues: Clues) -> Numbers | None:
    said = loading(clues)
    keys = said.unexpected
    weights = any("." in key or weight_name(key, ()) is not None for key in keys)
    telling = [key for key in keys if _HOLDER.search(key) or _TRAINING.search(key)]
    if weights or not telling or said.sizes:
        return None
    holders = [key for key in keys if _HOLDER.search(key) and not _NOT_THE_MODEL.search(key)]
    holders.sort(key=lambda key: "state" not in key)
    return {
        "keys": listed([f"`{key}`" for key in keys]),
        "holder": holders[0] if holders else "state_dict",
        "found": bool(holders),
        "lacks": len(said.missing),
    }


_WRAPPED: Final = Entry(
    mistake="checkpoint-wrapped",
    wordings=_LOADING,
    read=_wrapped,
    meaning="The file holds a dict around the weights, with {keys}, and the whole of it was loaded"
    " as the weights.",
    causes=(
        Cause(
            why="The weights are one of its entries.",
            tell="`print(checkpoint.keys())` shows its entries.",
            fix='checkpoint = torch.load("weights.pt", map_location="cpu")\n'
            'model.load_state_dict(checkpoint["{holder}"])',
        ),
    ),
    notes=("`strict=False` hides the error, but then not a single weight is loaded.",),
    more=INSPECT,
    provoked_by=(
        "nn.LSTM(3, 4).load_state_dict({'epoch': 3, 'model_state': nn.LSTM(3, 4).state_dict()})",
    ),
)


# --- prefixes

_WRAPPERS: Final = {
    "module": "DataParallel or DistributedDataParallel, which puts `module.` before each name",
    "_orig_mod": "torch.compile, which puts `_orig_mod.` before each name",
}


def _prefix(clues: Clues) -> Numbers | None:
    said = loading(clues)
    names = renames(said) or _by_wrapper(said)
    if not names:
        return None
    first = names[0]
    rest = renamed(said, names)
    return {
        "names": names,
        "sentence": _renaming(names),
        "by": _wrapper(first),
        "part": (first.checkpoint or first.model).rstrip("."),
        "code": _code(names),
        "still": _still(rest, clues) if said.missing else "",
    }


def _wrapper(first: Rename) -> str:
    """What puts such a prefix before names, "" for no known wrapper."""
    parts = f"{first.checkpoint}{first.model}".split(".")
    return next((_WRAPPERS[part] for part in parts if part in _WRAPPERS), "")


def _by_wrapper(said: Loading) -> list[Rename]:
    """The prefix of a wrapper, where only one side's names are listed."""
    if said.missing or said.wrapped or not said.unexpected:
        return []
    prefixes = {f"{name.partition('.')[0]}." for name in said.unexpected}
    known = prefixes <= {f"{wrapper}." for wrapper in _WRAPPERS}
    return [Rename(prefix, "") for prefix in prefixes] if known and len(prefixes) == 1 else []


def _renaming(names: Sequence[Rename]) -> str:
    first = names[0]
    ours, theirs = f"`{first.checkpoint}`", f"`{first.model}`"
    if len(names) == 1 and not first.model:
        return f"The names in the checkpoint begin with {ours}, those of the model do not."
    if len(names) == 1 and not first.checkpoint:
        return f"The names of the model begin with {theirs}, those in the checkpoint do not."
    pairs = [f"`{each.checkpoint}` is `{each.model}`" for each in names]
    return f"The same weights have different names: the checkpoint's {listed(pairs)} in the model."


def _code(names: Sequence[Rename]) -> str:
    """What renames the checkpoint's weights."""
    first = names[0]
    if len(names) == 1 and not first.model:
        p = first.checkpoint
        part, chosen = "", "state_dict"
        if p.rstrip(".") not in _WRAPPERS:
            chosen = "part"
            part = f'part = {{k: v for k, v in state_dict.items() if k.startswith("{p}")}}\n'
        return (
            f'{part}state_dict = {{k.removeprefix("{p}"): v for k, v in {chosen}.items()}}\n'
            "model.load_state_dict(state_dict)"
        )
    if len(names) == 1 and not first.checkpoint:
        return f"{_submodule(first.model.rstrip('.'))}.load_state_dict(state_dict)"
    pairs = ", ".join(f'"{each.checkpoint}": "{each.model}"' for each in names)
    return (
        f"for old, new in {{{pairs}}}.items():\n"
        "    state_dict = {k.replace(old, new, 1): v for k, v in state_dict.items()}\n"
        "model.load_state_dict(state_dict)"
    )


def _submodule(name: str) -> str:
    """The expression for a part of the model."""
    if not name:
        return "model"
    plain = all(part.isidentifier() for part in name.split("."))
    return f"model.{name}" if plain else f'model.get_submodule("{name}")'


def _still(rest: Loading, clues: Clues) -> str:
    """A note on what differs apart from the prefix."""
    layers = differences(rest, clues.around)
    if layers:
        sentence = layers[0].sentence
        return f"Apart from the names, {sentence[0].lower()}{sentence[1:]}"
    parts = [f"the model has {_examples(rest.missing)}"] if rest.missing else []
    parts += [f"the checkpoint has {_examples(rest.unexpected)}"] if rest.unexpected else []
    return f"Apart from that, only {' and only '.join(parts)}." if parts else ""


def _strips(clues: Clues) -> bool:
    names: list[Rename] = clues["names"]
    return len(names) == 1 and not names[0].model


def _adds(clues: Clues) -> bool:
    names: list[Rename] = clues["names"]
    return len(names) == 1 and not names[0].checkpoint


_is_wrapper: Final = holds("by")
_is_part: Final = unless(holds("by"))


_PREFIX: Final = Entry(
    mistake="checkpoint-prefix",
    wordings=_LOADING,
    read=_prefix,
    meaning="{sentence}",
    causes=(
        Cause(
            why="It was saved from a model in {by}: strip the prefix.",
            fix="{code}",
            when=both(_is_wrapper, _strips),
        ),
        Cause(
            why="Or save the model without its wrapper.",
            fix='torch.save(model.{part}.state_dict(), "weights.pt")',
            when=both(_is_wrapper, _strips),
        ),
        Cause(
            why="The model is in {by}; the one that was saved was not. Load into what it wraps.",
            fix="{code}",
            when=both(_is_wrapper, _adds),
        ),
        Cause(
            why="A larger model was saved, of which this one is the part `{part}` (such as a"
            " LightningModule with `self.{part}`): keep that part and strip the prefix.",
            fix="{code}",
            when=both(_is_part, _strips),
        ),
        Cause(
            why="The part `{part}` of this model was saved alone, without its prefix.",
            fix="{code}",
            when=both(_is_part, _adds),
        ),
        Cause(
            why="Attributes were renamed, or a wrapper was put around a part of the model, between"
            " the code that saved the weights and this one.",
            fix="{code}",
            when=both(unless(_strips), unless(_adds)),
        ),
    ),
    notes=("{still}", "`strict=False` hides the error, but then none of these weights is loaded."),
    more=INSPECT,
    provoked_by=(
        "nn.Sequential(nn.LSTM(3, 4)).load_state_dict(nn.LSTM(3, 4).state_dict())",
        "nn.LSTM(3, 4).load_state_dict(nn.DataParallel(nn.LSTM(3, 4)).state_dict())",
    ),
)


def _unsorted(clues: Clues) -> Numbers | None:
    said = loading(clues)
    if not said.unsorted:
        return None
    if not (said.wrapped or all(name.startswith("module.") for name in said.unsorted)):
        return None
    return {"count": len(said.unsorted), "name": said.unsorted[0]}


_UNSORTED: Final = Entry(
    mistake="checkpoint-prefix-cut-off",
    wordings=_LOADING[:1],
    read=_unsorted,
    meaning="Names such as `{name}` are in the checkpoint or in the model alone; `module.` is the"
    " prefix that DataParallel puts before each name.",
    causes=(
        Cause(
            why="The model is in DataParallel, and the one that was saved was not.",
            tell="The names stand after `Missing key(s)`.",
            fix="model.module.load_state_dict(state_dict)",
        ),
        Cause(
            why="It was saved from a model in DataParallel, and this one is not: strip the prefix.",
            tell="The names stand after `Unexpected key(s)`.",
            fix='state_dict = {{k.removeprefix("module."): v for k, v in state_dict.items()}}\n'
            "model.load_state_dict(state_dict)",
        ),
        Cause(
            why="Both are in DataParallel, and the checkpoint is that of another model.",
            tell="Names begin with `module.` after both headings.",
        ),
    ),
    more=INSPECT,
    source="torch/nn/modules/module.py, Module.load_state_dict, with its headings cut off",
)


# --- cells in place of layers

_BACKWARD: Final = re.compile(
    r"(?:\A|[._])(?:b|bw|bwd|back|backward|rev|reverse)s?\d*\Z", re.IGNORECASE
)


def _cells(clues: Clues) -> Numbers | None:
    said = loading(clues)
    found = [each for each in modules(said, clues.around) if each.absent]
    ours = [each for each in found if each.unexpected]
    theirs = [each for each in found if each.missing]
    if not ours or not theirs or len({each.cell for each in found}) == 1:
        return None
    if len({each.cell for each in ours}) > 1 or len({each.cell for each in theirs}) > 1:
        return None
    of_cells, layers = (ours, theirs) if ours[0].cell else (theirs, ours)
    pairs = _paired(of_cells, layers)
    told = ours[0].told or theirs[0].told
    kind = told.value if told else ""
    return {
        "checkpoint": _described(ours, kind),
        "model": _described(theirs, kind),
        "code": _cell_code(pairs, to_layer=ours[0].cell),
        "check": "The names tell which cell runs backwards: check that." if len(pairs) > 1 else "",
    }


def _described(those: Sequence[Module], kind: str) -> str:
    """Modules by their kind: "a bidirectional GRU `gru_enc`"."""
    first = those[0]
    names = f" ({listed([f'`{each.name}`' for each in those])})" if first.name else ""
    if first.cell:
        return f"{_count(len(those), f'{kind}Cell' if kind else 'cell')}{names}"
    weights = [name for each in those for name in each.missing | each.unexpected]
    both = any(name.endswith("_reverse") for name in weights)
    what = f"{'bidirectional ' * both}{kind} layer".replace("  ", " ").strip()
    return f"{_count(len(those), what)}{names}"


def _paired(cells: Sequence[Module], layers: Sequence[Module]) -> list[tuple[str, str, str]]:
    """For each cell its name, that of the layer, and what the layer's weights end in."""
    places = []
    for layer in layers:
        weights = sorted(n for n in layer.missing | layer.unexpected if n.startswith("weight_hh"))
        places += [(layer.name, name.removeprefix("weight_hh")) for name in weights]
    ordered = sorted(cells, key=lambda cell: bool(_BACKWARD.search(cell.name)))
    if len(places) != len(ordered):
        return []
    return [(cell.name, *place) for cell, place in zip(ordered, places, strict=True)]


def _cell_code(pairs: Sequence[tuple[str, str, str]], *, to_layer: bool) -> str:
    """What renames the weights of cells to those of layers, or back."""
    if not pairs:
        return ""
    names = ((cell and f"{cell}.", layer and f"{layer}.", end) for cell, layer, end in pairs)
    written = "".join(f'    ("{cell}", "{layer}", "{end}"),\n' for cell, layer, end in names)
    if to_layer:
        chosen, name = "k.startswith(cell)", "layer + k.removeprefix(cell) + end"
    else:
        chosen = "k.startswith(layer) and k.endswith(end)"
        name = "cell + k.removeprefix(layer).removesuffix(end)"
    return (
        f"cells = [\n{written}]\nfor cell, layer, end in cells:\n"
        f"    for k in [k for k in state_dict if {chosen}]:\n"
        f"        state_dict[{name}] = state_dict.pop(k)"
    )


_CELLS: Final = Entry(
    mistake="checkpoint-cells",
    wordings=_LOADING,
    read=_cells,
    meaning="The checkpoint has {checkpoint}, the model has {model} instead.",
    causes=(
        Cause(
            why="The code that saved the weights is another version. A cell has the weights of one"
            " layer in one direction, so they can be renamed.",
            tell="{check}",
            fix="{code}",
            when=holds("code"),
        ),
        Cause(
            why="Build the model with the version of the code that saved the weights.",
        ),
    ),
    notes=("Names of cells have no layer: `weight_ih`, where a layer has `weight_ih_l0`.",),
    more=INSPECT,
    provoked_by=("nn.GRU(3, 4).load_state_dict(nn.GRUCell(3, 4).state_dict())",),
)


# --- weights held in parts

_HOW: Final = {
    "g": "weight_norm",
    "v": "weight_norm",
    "original0": "parametrizations.weight_norm",
    "original1": "parametrizations.weight_norm",
    "original": "a parametrization",
    "raw": "weight drop",
    "mask": "pruning",
    "u": "spectral_norm",
    "orig": "pruning or spectral_norm",
    "packed": "quantization",
    "linear": "torch.ao.nn.quantizable",
}


def _parts(clues: Clues) -> Numbers | None:
    said = loading(clues)
    sides = {"checkpoint": _made(said.unexpected), "model": _made(said.missing)}
    (ours, our_name), (theirs, their_name) = sides.values()
    if ours == theirs:
        return None
    module, weight = _place(our_name or their_name)
    return {
        "checkpoint": _held(ours),
        "model": _held(theirs),
        "name": our_name or their_name,
        "ours": ours,
        "theirs": theirs,
        "target": _submodule(module),
        "weight": weight,
        "apply": "" if ours and theirs else _applied(ours or theirs),
        "remake": (ours, theirs) == ("parametrizations.weight_norm", "weight_norm"),
    }


def _made(names: Sequence[str]) -> tuple[str, str]:
    """How the weights with these names are made, and the first name that tells it."""
    for name in names:
        parsed = weight_name(name, ())
        if parsed is not None and parsed.part and parsed.part[-1] in _HOW:
            return _HOW[parsed.part[-1]], name
        if parsed is not None and parsed.spelling == "packed":
            return "quantization", name
    return "", ""


def _place(name: str) -> tuple[str, str]:
    parsed = weight_name(name, ())
    return (parsed.module, parsed.weight or "weight_hh_l0") if parsed else ("", "weight_hh_l0")


def _held(how: str) -> str:
    return f"is made by {how}" if how else "is held whole"


def _applied(how: str) -> str:
    """The function that makes a weight so, "" where it is not one of torch.nn.utils."""
    if how in ("weight_norm", "parametrizations.weight_norm", "spectral_norm"):
        return f"nn.utils.{how}"
    return "nn.utils.parametrize.register_parametrization" if how == "a parametrization" else ""


_PARTS: Final = Entry(
    mistake="checkpoint-parts",
    wordings=_LOADING,
    read=_parts,
    meaning="In the checkpoint `{weight}` {checkpoint}, in the model it {model}: hence the"
    " name `{name}`.",
    causes=(
        Cause(
            why="What makes the weight was applied before the model was saved: apply it before"
            " loading, too.",
            fix='{apply}({target}, "{weight}")\nmodel.load_state_dict(state_dict)',
            when=both(holds("ours"), holds("apply")),
        ),
        Cause(
            why="The model had it applied before loading: load first.",
            fix='model.load_state_dict(state_dict)\n{apply}({target}, "{weight}")',
            when=both(unless(holds("ours")), holds("apply")),
        ),
        Cause(
            why="A wrapper for weight drop keeps the weight as `_raw` and removes the weight"
            " itself: wrap both models or neither, in the same version of the wrapper.",
            fix='state_dict = {{k.replace("_raw", ""): v for k, v in state_dict.items()}}',
            when=equals("ours", "weight drop"),
        ),
        Cause(
            why="PyTorch has two functions of this name, and the code of the model calls the old"
            " one: make the weight with the new one.",
            fix='nn.utils.remove_weight_norm({target}, "{weight}")\n'
            'nn.utils.parametrizations.weight_norm({target}, "{weight}")\n'
            "model.load_state_dict(state_dict)",
            when=holds("remake"),
        ),
        Cause(
            why="Wrap, quantize or prune the model as it was when it was saved, then load.",
            when=unless(either(holds("apply"), holds("remake"))),
        ),
    ),
    more=INSPECT,
    provoked_by=(
        (
            "m = nn.utils.parametrizations.weight_norm(nn.LSTM(3, 4), 'weight_hh_l0')\n"
            "nn.LSTM(3, 4).load_state_dict(m.state_dict())"
        ),
    ),
)


def _hidden_only(clues: Clues) -> Numbers | None:
    """Whether only recurrent weights, which weight drop replaces, are on one side alone."""
    said = loading(clues)
    names = said.missing or said.unexpected
    if not names or (said.missing and said.unexpected) or said.sizes:
        return None
    parsed = [weight_name(name, ()) for name in names]
    if not all(each and not each.part and each.weight.startswith("weight_hh") for each in parsed):
        return None
    lacks = "checkpoint" if said.missing else "model"
    return {
        "names": _examples(names),
        "lacks": lacks,
        "has": "model" if said.missing else "checkpoint",
    }


_REPLACED: Final = Entry(
    mistake="checkpoint-weight-drop",
    wordings=_LOADING,
    read=_hidden_only,
    meaning="The only weights of recurrent layers that the {has} has and the {lacks} lacks are"
    " weight_hh ({names}): weight drop replaces this weight and keeps it as `weight_hh_l0_raw`.",
    causes=(
        Cause(
            why="The wrapper made weight_hh a parameter again in the forward passes before saving;"
            " it is computed from `_raw` each time, so the copy may be left out.",
            tell="The checkpoint also has names that end in `_raw`.",
            fix="state_dict = {{k: v for k, v in state_dict.items() if k in model.state_dict()}}\n"
            "model.load_state_dict(state_dict)",
            when=equals("lacks", "model"),
        ),
        Cause(
            why="The wrapper around the model that was saved keeps weight_hh under another name.",
            tell="`print(state_dict.keys())` shows names that end in `_raw`.",
            fix='state_dict |= {{k.removesuffix("_raw"): v for k, v in state_dict.items()}}',
            when=equals("lacks", "checkpoint"),
        ),
    ),
    more=INSPECT,
    source="torch/nn/modules/module.py, for a model in a wrapper for weight drop",
)


# --- weights of other layers

_EMBEDDING: Final = re.compile(r"emb|vocab|word|lookup|token|wte|encoder\.weight", re.IGNORECASE)
_LINEAR: Final = re.compile(
    r"fc|lin|out|class|proj|head|dense|decoder\.weight|score|logit|tag|2", re.IGNORECASE
)


def _sizes(clues: Clues) -> Numbers | None:
    said = loading(clues)
    sized = [name for name in said.sizes if weight_name(name, ()) is None] or list(said.sizes)
    if not sized:
        return None
    name = next((each for each in sized if len(said.sizes[each][0]) > 1), sized[0])
    ours, theirs = said.sizes[name]
    part = name.rpartition(".")[0]
    has_bias = f"{part}.bias" in said.sizes
    numbers: dict[str, Any] = {
        "name": name,
        "part": part or "the layer",
        "which": f" `{part}`" if part else "",
        "ours": ours,
        "theirs": theirs,
        "besides": _others(sized, name),
        "strict": _strict(said),
        "turned": _turned(clues),
    }
    return numbers | _as_layer(name, ours, theirs, has_bias=has_bias)


def _others(sized: Sequence[str], shown: str) -> str:
    rest = [name for name in sized if name != shown]
    return f"Other sizes also differ: {_examples(rest)}." if rest else ""


def _as_layer(name: str, ours: Dims, theirs: Dims, *, has_bias: bool) -> dict[str, Any]:
    """The layer that has such a weight, and the field that differs: of an Embedding, a Linear."""
    if len(ours) != 2 or len(theirs) != 2 or not name.endswith("weight"):
        shapes = {"a": written_shape(ours), "b": written_shape(theirs)}
        return {
            "noun": "weight",
            "which": f" `{name}`",
            "field": "shape",
            **shapes,
            "call": "",
            "like": "",
        }
    rows, columns = ours[0] != theirs[0], ours[1] != theirs[1]
    plain = rows and not columns and not _LINEAR.search(name)
    embedding = not has_bias and bool(_EMBEDDING.search(name) or plain)
    if embedding:
        fields, call = ("num_embeddings", "embedding_dim"), f"nn.Embedding({ours[0]}, {ours[1]})"
    else:
        fields, call = ("out_features", "in_features"), f"nn.Linear({ours[1]}, {ours[0]})"
    axis = 0 if rows else 1
    a, b = ours[axis], theirs[axis]
    like = "embedding" if embedding else "linear"
    twice = columns and max(ours[1], theirs[1]) == 2 * min(ours[1], theirs[1])
    return {
        "noun": "embedding" if embedding else "linear layer",
        "field": fields[axis],
        "a": a,
        "b": b,
        "call": call,
        "like": f"{like}-{axis}{'-twice' * (not embedding and twice)}",
    }


def _size_compared(clues: Clues) -> Comparison | None:
    ours, theirs = clues["ours"], clues["theirs"]
    if len(ours) != len(theirs):
        return None
    axes = {"emb": ("num_embeddings", "embedding_dim"), "lin": ("out_features", "in_features")}
    places = axes.get(clues["like"][:3], tuple(f"dim {axis}" for axis in range(len(ours))))
    return Comparison(
        title=clues["name"],
        places=places,
        expected=ours,
        got=theirs,
        labels=("checkpoint", "model"),
    )


def _is_like(like: str) -> Callable[[Clues], bool]:
    return lambda clues: str(clues["like"]).startswith(like)


_WORDS: Final = (
    "The vocabulary differs: it was built from other data, with other limits, or its file was not"
    " found"
)
_SIZES: Final = Entry(
    mistake="checkpoint-sizes",
    wordings=_LOADING,
    read=_sizes,
    meaning="The {noun}{which} has {field} {a} in the checkpoint, but {b} in the model.",
    compare=_size_compared,
    causes=(
        Cause(
            why=f"{_WORDS}. {{field}} is the number of words, here {{a}} against {{b}}.",
            tell="`print(len(vocab))` shows {b}.",
            fix='torch.save({{"vocab": vocab, "model": model.state_dict()}}, "weights.pt")'
            "  # together\n{call}  # {part}",
            when=_is_like("embedding-0"),
        ),
        Cause(
            why="The embedding has another width, which is also the input_size of the layer above.",
            fix="{call}  # {part}",
            when=_is_like("embedding-1"),
        ),
        Cause(
            why="There are other classes (or words, if it is over the vocabulary): {a} when it was"
            " trained, {b} now.",
            fix="{call}  # {part}",
            when=_is_like("linear-0"),
        ),
        Cause(
            why="One of the two models is bidirectional: a bidirectional layer gives twice the"
            " features, which this layer reads.",
            tell="`rnnshape inspect weights.pt` shows whether the layer in the file is.",
            fix="nn.LSTM(..., bidirectional=True)  # or False, as it is in the file",
            when=_is_like("linear-1-twice"),
        ),
        Cause(
            why="What this layer reads has another width, such as another hidden_size.",
            fix="{call}  # {part}",
            when=_is_like("linear-1"),
        ),
        Cause(
            why="The model is built with other arguments than the one that was saved.",
            when=unless(holds("like")),
        ),
        Cause(
            why="If you train these weights again anyway, load only the others.",
            fix=_FITTING,
        ),
    ),
    notes=("{besides}", "{turned}", "{strict}"),
    more=INSPECT,
    provoked_by=(
        "nn.Embedding(5, 3).load_state_dict(nn.Embedding(7, 3).state_dict())",
        "nn.Linear(8, 3).load_state_dict(nn.Linear(4, 3).state_dict())",
    ),
)


# --- names alone


def _keys(clues: Clues) -> Numbers | None:
    said = loading(clues)
    if not (said.missing or said.unexpected):
        return None
    found = [each for each in modules(said, clues.around) if each.absent]
    lacks = [f"lacks {_examples(said.missing)}"] if said.missing else []
    lacks += [f"has {_examples(said.unexpected)}, which the model lacks"] if said.unexpected else []
    return {
        "sentence": f"The checkpoint {', and '.join(lacks)}.",
        "layers": " ".join(map(_whole, found[:2])),
        "missing": len(said.missing),
        "unexpected": len(said.unexpected),
    }


def _whole(module: Module) -> str:
    """A note on a recurrent module that one side lacks."""
    names = module.missing | module.unexpected
    layers = len({name.removesuffix("_reverse").rpartition("_l")[2] for name in names})
    both = any(name.endswith("_reverse") for name in names)
    where = "model" if module.missing else "checkpoint"
    called = module.name or "weight_hh"
    what = f"a recurrent {'cell' if module.cell else 'layer'}"
    if module.told:
        what = f"{with_article(module.told.value)}{'Cell' * module.cell}"
    has = f"{_count(layers, 'layer')}{' in both directions' * both}"
    size = "" if module.cell else f" with {has}"
    return f"`{called}`, which only the {where} has, is {what}{size}."


_KEYS: Final = Entry(
    mistake="checkpoint-names",
    wordings=_LOADING,
    read=_keys,
    meaning="{sentence}",
    causes=(
        Cause(
            why="The checkpoint belongs to another model, or to another version of its code.",
            tell='`print(*state_dict, sep="\\n")` and `print(model)` show both.',
            fix="print(set(state_dict) ^ set(model.state_dict()))  # what only one of them has",
        ),
        Cause(
            why="Another entry of the file holds the weights of this model (encoder, decoder).",
            tell='`print(torch.load("weights.pt").keys())` shows its entries.',
            when=lambda clues: clues["missing"] > 0,
        ),
        Cause(
            why="What only one side has is not needed: ignore it. Weights that are missing keep"
            " their random values.",
            fix="print(model.load_state_dict(state_dict, strict=False))",
        ),
    ),
    notes=("{layers}",),
    more=INSPECT,
    provoked_by=("nn.Sequential(nn.LSTM(3, 4)).load_state_dict(nn.Linear(3, 4).state_dict())",),
)

# Where several may be true of one text, the first is what has to be mended first.
ENTRIES: Final = (
    _WRAPPED,
    _PARTS,
    _CELLS,
    _LAYER,
    _PREFIX,
    _REPLACED,
    _SIZES,
    _KEYS,
    _UNSORTED,
)
