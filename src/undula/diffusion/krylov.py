r"""Solving (S + H C Hᵀ) v = r where only products with C are known, and not even exactly.

C is a covariance, so that conjugate gradients would do, were it symmetric: that of a trained network is
not quite. In place of their recursion the same Krylov space is spanned and orthogonalised, the system is
projected onto it, symmetrised there, and solved without the directions whose eigenvalue is not positive
(Galerkin's condition; of a symmetric positive definite system the iterates are those of conjugate gradients).

Products with the C of a network are costly. With an approximate inverse of the system (one that a fitted
covariance has, by conjugate gradients) the space is that of the preconditioned system, and few dimensions are
enough.

References:
    Hestenes, Stiefel (1952). Methods of conjugate gradients for solving linear systems.
        doi:10.6028/jres.049.044
    Saad (2003). Iterative methods for sparse linear systems, chapters 6 and 9.
        doi:10.1137/1.9780898718003
"""

from __future__ import annotations

__all__ = ["conjugate_gradients", "solve"]

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
    inverse: Callable[[Measured], Measured] | None = None,
) -> tuple[Measured, Series]:
    """V = (S + H C Hᵀ)⁻¹ r and C Hᵀ v, each member by itself.

    Args:
        spread: v ↦ C Hᵀ v, called once an iteration.
        ahead: u ↦ H u.
        residual: r, 0 where nothing is known.
        noise: the diagonal of S.
        scale: about the diagonal of H C Hᵀ, for conditioning alone.
        iterations: dimensions of the Krylov space.
        inverse: about (S + H C Hᵀ)⁻¹, as a product; None: that of its diagonal.
    """
    smallest, shape = _SMALLEST[residual.dtype], residual.shape[1:]
    weight = torch.rsqrt(torch.clamp(noise + scale, min=torch.finfo(residual.dtype).tiny)).expand_as(residual)

    def conditioned(scaled: Tensor) -> Tensor:
        """The next direction, in coordinates in which the diagonal is about 1."""
        if inverse is None:
            return scaled
        return (inverse(scaled.unflatten(1, shape) / weight) / weight).flatten(1)

    right = (weight * residual).flatten(1)
    direction = conditioned(right)
    length = direction.norm(dim=1, keepdim=True)
    v = torch.where(length > 0, direction / torch.where(length > 0, length, 1.0), 0.0)
    directions, images, moves = [], [], []
    for _ in range(min(iterations, right.shape[1])):
        scaled = weight * v.unflatten(1, shape)
        move = spread(scaled)
        image = (weight * (noise * scaled + ahead(move))).flatten(1)
        directions.append(v)
        images.append(image)
        moves.append(move)
        if len(directions) == iterations:
            break
        basis, next_one = torch.stack(directions, 1), conditioned(image)
        before = next_one.norm(dim=1, keepdim=True)
        for _ in range(2):
            inside = torch.einsum("bkm,bm->bk", basis, next_one)
            next_one = next_one - torch.einsum("bk,bkm->bm", inside, basis)
        size = next_one.norm(dim=1, keepdim=True)
        enough = size > smallest * before
        if not bool(enough.any()):
            break
        v = torch.where(enough, next_one / torch.where(enough, size, 1.0), 0.0)
    basis = torch.stack(directions, 1)
    projected = torch.einsum("bim,bjm->bij", basis, torch.stack(images, 1))
    values, vectors = torch.linalg.eigh(0.5 * (projected + projected.mT))
    counts = values > smallest * values.amax(1, keepdim=True).clamp(min=0.0)
    turned = torch.einsum("bji,bj->bi", vectors, torch.einsum("bkm,bm->bk", basis, right))
    weights: Tensor = torch.einsum(
        "bij,bj->bi", vectors, torch.where(counts, turned / torch.where(counts, values, 1.0), 0.0)
    )
    v = weight * torch.einsum("bi,bim->bm", weights, basis).unflatten(1, shape)
    return v, torch.einsum("bi,bicl->bcl", weights, torch.stack(moves, 1))


def conjugate_gradients(
    spread: Callable[[Measured], Series],
    ahead: Callable[[Series], Measured],
    residual: Measured,
    noise: Measured,
    scale: float | Tensor,
    iterations: int,
) -> tuple[Measured, Series]:
    """The same for a C that is symmetric and cheap: no space is kept. See `solve`."""
    tiny, shape = torch.finfo(residual.dtype).tiny, (-1, *[1] * (residual.ndim - 1))
    inverse = 1.0 / torch.clamp(noise + scale, min=tiny)  # of the diagonal
    v, move = torch.zeros_like(residual), None
    rest, z = residual, inverse * residual
    direction, size = z, (rest * z).flatten(1).sum(1)
    enough = _SMALLEST[residual.dtype] ** 2 * size
    for _ in range(min(iterations, residual[0].numel())):
        going = size > enough
        if not bool(going.any()):
            break
        moved = spread(direction)
        image = noise * direction + ahead(moved)
        curvature = (direction * image).flatten(1).sum(1)
        going = going & (curvature > 0)
        step = torch.where(going, size / torch.where(going, curvature, 1.0), 0.0).reshape(shape)
        v = v + step * direction
        move = step * moved if move is None else move + step * moved
        rest = rest - step * image
        z = inverse * rest
        new = (rest * z).flatten(1).sum(1)
        ratio = torch.where(going, new / size.clamp(min=tiny), 0.0).reshape(shape)
        direction, size = z + ratio * direction, torch.where(going, new, 0.0)
    return v, spread(v) if move is None else move
