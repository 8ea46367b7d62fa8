r"""Solving (S + H C Hᵀ) v = r where only products with C are known, and not even exactly.

C is a covariance, so that conjugate gradients would do, were it symmetric: that of a trained network is not
quite. In place of their recursion the same Krylov space is spanned and orthogonalised, the system is
projected onto it, symmetrised there, and solved without the directions whose eigenvalue is not positive
(Galerkin's condition; for a symmetric positive definite system the iterates are those of conjugate
gradients).

References:
    Saad (2003). Iterative methods for sparse linear systems, chapter 6. doi:10.1137/1.9780898718003
"""

from __future__ import annotations

__all__ = ["solve"]

from collections.abc import Callable

import torch
from torch import Tensor

from ..core.types import Measured, Series

_SMALLEST = {torch.float64: 1e-10, torch.float32: 1e-5}
"""Eigenvalues below this share of the largest are rounding."""


def solve(
    spread: Callable[[Measured], Series],
    ahead: Callable[[Series], Measured],
    residual: Measured,
    noise: Measured,
    scale: float | Tensor,
    iterations: int,
) -> tuple[Measured, Series]:
    """V = (S + H C Hᵀ)⁻¹ r and C Hᵀ v, each member by itself.

    Args:
        spread: v ↦ C Hᵀ v, called once an iteration.
        ahead: u ↦ H u.
        residual: r, 0 where nothing is known.
        noise: the diagonal of S.
        scale: about the diagonal of H C Hᵀ, for conditioning alone.
        iterations: dimensions of the Krylov space.
    """
    weight = torch.rsqrt(torch.clamp(noise + scale, min=torch.finfo(residual.dtype).tiny))
    start = (weight * residual).flatten(1)
    length = start.norm(dim=1, keepdim=True)
    v = start / torch.clamp(length, min=torch.finfo(start.dtype).tiny)
    directions, images, moves = [], [], []
    for _ in range(min(iterations, start.shape[1])):
        scaled = weight * v.unflatten(1, residual.shape[1:])
        move = spread(scaled)
        image = (weight * (noise * scaled + ahead(move))).flatten(1)
        directions.append(v)
        images.append(image)
        moves.append(move)
        basis = torch.stack(directions, 1)
        for _ in range(2):
            image = image - torch.einsum("bk,bkm->bm", torch.einsum("bkm,bm->bk", basis, image), basis)
        size = image.norm(dim=1, keepdim=True)
        enough = size > _SMALLEST[v.dtype] * images[-1].norm(dim=1, keepdim=True)
        v = torch.where(enough, image / torch.where(enough, size, 1.0), 0.0)
        if not bool(enough.any()):
            break
    projected = torch.einsum("bim,bjm->bij", torch.stack(directions, 1), torch.stack(images, 1))
    values, vectors = torch.linalg.eigh(0.5 * (projected + projected.mT))
    counts = values > _SMALLEST[v.dtype] * values.amax(1, keepdim=True).clamp(min=0.0)
    inverse = torch.where(counts, 1.0 / torch.where(counts, values, 1.0), 0.0)
    first = vectors[:, 0] * length  # V^T r lies in the first direction
    weights: Tensor = torch.einsum("bij,bj->bi", vectors, inverse * first)
    v = weight * torch.einsum("bi,bim->bm", weights, torch.stack(directions, 1)).unflatten(
        1, residual.shape[1:]
    )
    return v, torch.einsum("bi,bicl->bcl", weights, torch.stack(moves, 1))
