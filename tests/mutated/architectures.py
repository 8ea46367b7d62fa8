"""Networks: reading backwards, the state space, gates, causality, averaging, dropped parts.

A line is (what it is, file under src/undula, text that is there exactly once, what it becomes).
"""

MUTATIONS = (
    ("mirror: off by one", "nn/recurrent.py", "exists.sum(1) - 1 -", "exists.sum(1) -"),
    ("mirror: forgotten on the way back", "nn/recurrent.py", "x.gather(1, there))[0].gather(1, there)", "x.gather(1, there))[0]"),
    ("state space: no damping", "nn/state_space.py", "torch.exp(-torch.exp(self.log_rate)", "torch.exp(-0.0 * torch.exp(self.log_rate)"),
    ("state space: past and future exchanged", "nn/state_space.py", "(future[:, 1:].flip(-1), past)", "(past[:, 1:].flip(-1), future)"),
    ("state space: padding acts", "nn/state_space.py", "u if exists is None else u * exists", "u"),
    ("convolution: causal without its padding before", "nn/convolution.py", "padding = 0 if causal else", "padding = reach // 2 if causal else"),
    ("convolution: dilation in the padding", "nn/convolution.py", "reach = dilation * (kernel - 1)", "reach = kernel - 1"),
    ("gated block: padding acts", "nn/convolution.py", "F.glu(self.conv(h if exists is None else h * exists)", "F.glu(self.conv(h)"),
    ("mix fixed: 0.7 → 1", "nn/attention.py", "0.7 * h", "1.0 * h"),
    ("mix learned: without the 1", "nn/attention.py", "(1.0 + self.gate", "(0.0 + self.gate"),
    ("prefix: padding before the series", "nn/conditioning.py", "there = exists.new_ones", "there = exists.new_zeros"),
    ("film: forgotten", "nn/conditioning.py", "Told(vector + tokens.mean(1), None", "Told(vector, None"),
    ("cnn: the dilation does not cycle", "components/architectures/cnn.py", "2 ** (k % self.dilation_cycle)", "2**k"),
    ("rnn: padding acts when read backwards", "components/architectures/_recurrent.py", "mirrored(exists) if self.bidirectional", "mirrored(None) if self.bidirectional"),
    ("ensemble: sum for mean", "components/architectures/ensemble.py", "torch.softmax(logits, dim=-1)", "torch.exp(logits)"),
    ("ensemble: weights of the wrong members", "components/architectures/ensemble.py", "found |= zip(group,", "found |= zip(group[::-1],"),
    ("dropout: the first part's for all", "diffusion/loss.py", "given.get(name, 0.0) if", "max(given.values()) if"),
)  # fmt: skip
