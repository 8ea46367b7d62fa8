"""Coefficients of the preprocessors that take differences, or turn time into something else.

A line is (what it is, file under src/undula, text that is there exactly once, what it becomes).
"""

FOLDER = "components/preprocessing"
MUTATIONS = (
    ("maps: fourier, √2 of the Nyquist frequency too", f"{FOLDER}/fourier.py", "| (2 * frequency == length)", "| (2 * frequency == length + 1)"),
    ("maps: fourier, √2 → 2", f"{FOLDER}/fourier.py", "torch.where(alone, 1.0, 2.0).double().sqrt()", "torch.where(alone, 1.0, 2.0).double()"),
    ("maps: scales, share of the block without √", f"{FOLDER}/multi_scale.py", "share.sqrt(), 0.0", "share, 0.0"),
    ("maps: scales, √2 of the reflection", f"{FOLDER}/multi_scale.py", "(2.0**0.5 / norm)", "(1.9**0.5 / norm)"),
    ("maps: wavelet, taps turned round", f"{FOLDER}/wavelet.py", "[wavelet.rec_lo, wavelet.rec_hi]", "[wavelet.dec_lo, wavelet.dec_hi]"),
    ("maps: wavelet, the grid at odd steps", f"{FOLDER}/_filter_banks.py", "start = left + first % 2", "start = left + (first + 1) % 2"),
    ("maps: wavelet, boundary from high polynomials", f"{FOLDER}/_filter_banks.py", "linalg.qr(polynomials[:number, :width].mT)", "linalg.qr(polynomials[1 : number + 1, :width].mT)"),
    ("maps: wavelet, half of the free functions", f"{FOLDER}/_filter_banks.py", "number = min((free + 1) // 2, len(polynomials))", "number = free // 3"),
    ("maps: wavelet, periodic start", f"{FOLDER}/_filter_banks.py", "start = 1 - taps.shape[1] // 2", "start = 2 - taps.shape[1] // 2"),
    ("maps: scale a band → one for all", f"{FOLDER}/_orthonormal.py", "self.scale_ = of_bands[:, bands]", "self.scale_ = of_bands[:, 0 * bands]"),
    ("maps: covariates without the mean's factor", f"{FOLDER}/_orthonormal.py", "basis.analyse(part) * basis.means.to(part)", "basis.analyse(part)"),
    ("maps: covariates left in time", f"{FOLDER}/_orthonormal.py", "basis.analyse(part) * basis.means.to(part)", "part"),
    ("maps: increments, log-determinant of the first", f"{FOLDER}/_increments.py", "stretch = (length - lag) * self", "stretch = length * self"),
    ("maps: increments, first that is there for last", f"{FOLDER}/_increments.py", "(there * number).argmax", "(there / number).argmax"),
    ("maps: increments, start of the last window", f"{FOLDER}/_increments.py", "y[-1, :, -lag:]", "y[-1, :, :lag]"),
    ("maps: log_return, slope 1/x → x", f"{FOLDER}/log_return.py", "return -torch.log(x)", "return torch.log(x)"),
    ("maps: decorrelate, strength", f"{FOLDER}/decorrelate.py", "** self.strength", "** 1.0"),
    ("maps: decorrelate, not turned back", f"{FOLDER}/decorrelate.py", "return components.mT @ idct(coefficients)", "return idct(coefficients)"),
    ("maps: decorrelate, windows not turned back", f"{FOLDER}/decorrelate.py", "(coefficients.flatten(1) @ components).unflatten", "coefficients.flatten(1).unflatten"),
    ("maps: decorrelate, calibrated the wrong way", f"{FOLDER}/decorrelate.py", "self.gain_ = self.gain_ * self.change_", "self.gain_ = self.gain_ / self.change_"),
    ("maps: decorrelate, mean not calibrated", f"{FOLDER}/decorrelate.py", "self._series(self._spectrum(mean[None]) * self.gain_)", "0.0 * self._series(self._spectrum(mean[None]) * self.gain_)"),
    ("maps: quantile, what does not wander is straight", f"{FOLDER}/_quantile.py", "step_share(x, valid) < self.wander", "step_share(x, valid) > self.wander"),
    ("maps: lattice of single precision", f"{FOLDER}/_grid.py", "nearest.float().double()", "nearest"),
    ("maps: gaussianise, strength", f"{FOLDER}/gaussianise.py", "** self.strength", "** 0.7"),
    ("maps: gaussianise, all bands by one map", f"{FOLDER}/gaussianise.py", "coefficients[..., bands == band]", "coefficients[..., bands >= 0]"),
    ("maps: gaussianise, rests no atoms", f"{FOLDER}/gaussianise.py", "atom=self.atom).fit", "atom=0.9).fit"),
    ("maps: decorrelate, mean variance", f"{FOLDER}/decorrelate.py", "gain * (variance / gain.square()).mean().sqrt()", "gain"),
)  # fmt: skip
