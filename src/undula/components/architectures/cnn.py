r"""A stack of dilated gated convolutions with residuals, after WaveNet.

    h ← h + W GLU(Conv_d(LN(h) (1 + a) + b)),    d = 1, 2, 4, …, 2^(dilation_cycle − 1), 1, 2, …

with (a, b) from the noise level and the static parts. The receptive field grows as a power of two
with the layers; beyond it the network sees nothing: `receptive_field` says how far that is. With
`causal` the kernels reach back only, and F at step l depends on x at steps ≤ l alone.

References:
    van den Oord et al. (2016). WaveNet. arXiv:1609.03499
    Kong et al. (2021). DiffWave. arXiv:2009.09761 (such a stack as a denoiser)
"""

from __future__ import annotations

__all__ = ["CNNArchitecture"]

from collections.abc import Sequence

from torch import nn

from ...core.errors import ConfigError
from ...core.registry import register
from ...core.types import ConditionDropout, Fraction, PositiveInt
from ...nn.attention import CrossMix, check_heads
from ...nn.conditioning import Conditioning
from ...nn.convolution import GatedBlock
from ._stack import StackArchitecture


@register("architecture", "cnn")
class CNNArchitecture(StackArchitecture):
    """Dilated gated convolutions with residuals, like WaveNet's; causal if asked.

    Args:
        model_dim: channels of the stream; with cross_attention a multiple of 2·num_heads.
        num_layers: gated convolutions.
        kernel_size: width of the convolutions, odd.
        dilation_cycle: layers over which the dilation doubles before it starts at 1 again.
        causal: whether F at a step depends on the series at that step and before alone.
        conditioning: how sequence parts enter: cross_attention (at the start of each cycle of
            dilations), film (their mean joins the noise level), concat (as steps before the series,
            which suits a history), none.
        cross_attention_mix: how cross-attention joins the stream: none (added), learned (added times
            a gain that depends on the noise level), fixed (0.7 of the stream, 0.3 of the attention, 0.3
            of the history's mean).
        num_heads: heads of the cross-attention.
        dropout: probability of dropping an element inside a block.
        condition_dropout: probability of training with a condition part's learned null; or one a
            part, such as {history: 0.1}, 0 for parts that are not named.
    """

    def __init__(
        self,
        model_dim: PositiveInt = 128,
        num_layers: PositiveInt = 8,
        kernel_size: PositiveInt = 3,
        dilation_cycle: PositiveInt = 6,
        causal: bool = False,
        conditioning: Conditioning = "cross_attention",
        cross_attention_mix: CrossMix = "none",
        num_heads: PositiveInt = 4,
        dropout: Fraction = 0.0,
        condition_dropout: ConditionDropout = 0.1,
    ) -> None:
        super().__init__()
        if kernel_size % 2 == 0:
            raise ConfigError(f"cnn: kernel_size = {kernel_size} is even: use {kernel_size + 1}")
        if conditioning == "cross_attention":
            check_heads(self, "model_dim", model_dim, num_heads)
        self.model_dim, self.num_layers, self.kernel_size = model_dim, num_layers, kernel_size
        self.dilation_cycle, self.causal = dilation_cycle, causal
        self.conditioning, self.cross_attention_mix = conditioning, cross_attention_mix
        self.num_heads, self.dropout, self.condition_dropout = num_heads, dropout, condition_dropout

    @property
    def receptive_field(self) -> int:
        """Steps that one step's output depends on: all of them before it if causal, else on both sides."""
        return 1 + (self.kernel_size - 1) * sum(self._dilations)

    @property
    def _dilations(self) -> list[int]:
        return [2 ** (k % self.dilation_cycle) for k in range(self.num_layers)]

    def _layers(self) -> list[nn.Module]:
        dim = self.model_dim
        return [
            GatedBlock(dim, dim, self.kernel_size, dilation, self.causal, self.dropout)
            for dilation in self._dilations
        ]

    def _attending(self) -> Sequence[int]:
        return range(0, self.num_layers, self.dilation_cycle)
