"""How an element-wise loss becomes the number that is trained on."""

from torch import Tensor

REDUCTIONS = ("none", "mean", "sum")


def check_reduction(reduction: str) -> str:
    """Return ``reduction`` if it is one of none, mean, sum; otherwise raise ValueError."""
    if reduction not in REDUCTIONS:
        raise ValueError(f"reduction must be one of {REDUCTIONS}, got {reduction!r}")
    return reduction


def reduce_loss(
    loss: Tensor,
    weight: Tensor | None = None,
    reduction: str = "mean",
    avg_factor: float | Tensor | None = None,
) -> Tensor:
    """Weight a loss of any shape element by element and reduce it.

    With ``avg_factor`` the 'mean' divides the sum by it instead of by the number of elements.
    An empty loss gives 0 with a gradient graph, never NaN.
    """
    if weight is not None:
        loss = loss * weight
    if reduction == "none":
        return loss
    if reduction == "sum":
        if avg_factor is not None:
            raise ValueError("avg_factor is only used with reduction='mean', got 'sum'")
        return loss.sum()
    return loss.sum() / (max(loss.numel(), 1) if avg_factor is None else avg_factor)
