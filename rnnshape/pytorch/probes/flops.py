"""The FLOPs of a forward pass according to PyTorch's own counter."""

from __future__ import annotations

from dataclasses import replace

from rnnshape.layer.run import Mismatch, Outcome
from rnnshape.layer.subject import Subject
from rnnshape.pytorch.forward import forward


def flops(subject: Subject) -> Outcome | None:
    """The count, compared with the formula; None on a device other than the CPU.

    The counter does not see into the kernels of other devices, nor into oneDNN's, which PyTorch
    uses by default.
    """
    if subject.settings.device_type != "cpu":
        return None
    import torch
    from torch.utils.flop_counter import FlopCounterMode  # as slow to import as everything else

    once = replace(subject, input_spec=replace(subject.input_spec, with_state=False))
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        forward(once)
    counted, predicted = int(counter.get_total_flops()), 2 * subject.macs
    wrong = Mismatch(what="flops", predicted=predicted, measured=counted)
    return Outcome(
        value=counted,
        remark=f"PyTorch counts {counted:,} FLOPs with oneDNN off",
        mismatches=() if counted == predicted else (wrong,),
    )
