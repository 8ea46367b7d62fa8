"""Coefficients of autoencoders: the bound, the moments of latents, the decoder's noise.

A line is (what it is, file under src/undula, text that is there exactly once, what it becomes).
"""

VAE = "components/preprocessing/vae.py"
MUTATIONS = (
    ("latent: KL without its half", "latent/vae.py", "return 0.5 * (self.mean.square()", "return 1.0 * (self.mean.square()"),
    ("latent: KL, variance → sd", "latent/vae.py", "torch.exp(2.0 * self.log_sd) - 1.0", "torch.exp(self.log_sd) - 1.0"),
    ("latent: scale without its floor", "latent/vae.py", "self.min_scale + F.softplus", "F.softplus"),
    ("latent: density without the scale", "latent/likelihoods.py", "(standard.log_prob(z) - emission.log_scale)", "standard.log_prob(z)"),
    ("latent: Student's t from ν = 1", "latent/likelihoods.py", "return 2.0 + F.softplus", "return 1.0 + F.softplus"),
    ("latent: warm-up a step late", "latent/objective.py", "(step + 1) / self.kl_warmup", "step / self.kl_warmup"),
    ("latent: free bits the other way", "latent/objective.py", "kl.mean(0) < self.free_bits", "kl.mean(0) > self.free_bits"),
    ("latent: moments of the means alone", VAE, "posterior.mean.var(0, correction=0) + posterior.sd.square().mean(0)\n        self.scale_", "posterior.mean.var(0, correction=0)\n        self.scale_"),
    ("latent: prior not scaled", VAE, "return self._scaled(draws.normal(*self.shape", "return (draws.normal(*self.shape"),
    ("latent: parts folded out of order", VAE, ".transpose(2, 3).flatten(1, 2)", ".flatten(1, 2).reshape(len(part), -1, latents)"),
    ("latent: samples without the decoder's noise", "latent/likelihoods.py", "return emission.location + emission.log_scale.exp() * noise", "return emission.location"),
)  # fmt: skip
