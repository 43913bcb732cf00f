"""FLOPs of a forward pass as PyTorch's own counter counts them."""

from __future__ import annotations

from dataclasses import replace

from rnnshape.layer.run import Mismatch, Outcome
from rnnshape.layer.subject import Subject
from rnnshape.pytorch.backend import quiet_state, suitable_threads
from rnnshape.pytorch.forward import forward


def flops(subject: Subject) -> Outcome | None:
    """The count, held against the formula; None on other devices than the CPU.

    The counter sees no products inside the kernels of other devices, nor inside oneDNN's, which
    PyTorch uses by default.
    """
    if subject.settings.device_type != "cpu":
        return None
    from torch.utils.flop_counter import FlopCounterMode  # as slow to import as all the rest

    once = replace(subject, input_spec=replace(subject.input_spec, with_state=False))
    with quiet_state(threads=suitable_threads(once)), FlopCounterMode(display=False) as counter:
        forward(once)
    counted, predicted = int(counter.get_total_flops()), 2 * subject.macs
    differs = Mismatch(what="flops", predicted=predicted, measured=counted)
    return Outcome(
        value=counted,
        remark=f"PyTorch counts {counted:,} FLOPs with oneDNN off",
        mismatches=() if counted == predicted else (differs,),
    )
