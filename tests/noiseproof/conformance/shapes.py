"""Small samplers in the call shapes of others, written from the formulas of the papers."""

from __future__ import annotations

import enum
import itertools

import numpy as np
import torch

# ---------------------------------------------------------------- f(model, x, sigmas, ...)


def euler(model, x, sigmas, extra_args=None, disable=None):
    """Euler's steps of dx/d sigma = (x - D)/sigma, EDM eq. 3 with s = 1."""
    for sigma, after in itertools.pairwise(sigmas):
        slope = (x - model(x, sigma * x.new_ones(len(x)))) / sigma
        x = x + (after - sigma) * slope
    return x


def sample_euler_ancestral(model, x, sigmas, extra_args=None, disable=None, eta=1.0, noise_sampler=None):
    """The kernel given both ends: down to sigma_s^2/sigma_t, and noise up to sigma_s."""
    draw = noise_sampler or (lambda sigma, after: torch.randn_like(x))
    for sigma, after in itertools.pairwise(sigmas):
        up = eta * after * torch.sqrt(1 - (after / sigma) ** 2)
        down = torch.sqrt(after**2 - up**2)
        x = x + (down - sigma) * (x - model(x, sigma * x.new_ones(len(x)))) / sigma
        if after > 0:
            x = x + up * draw(sigma, after)
    return x


# ---------------------------------------------------------------- f(net, latents, ...)


def heun_with_churn(
    net,
    latents,
    class_labels=None,
    randn_like=torch.randn_like,
    num_steps=18,
    sigma_min=0.002,
    sigma_max=80.0,
    rho=7.0,
    S_churn=0.0,
    S_noise=1.0,
):
    """EDM's algorithm 2 on the grid of its eq. 5, in the precision of the latents."""
    lowest, highest = max(sigma_min, net.sigma_min), min(sigma_max, net.sigma_max)
    part = torch.arange(num_steps, dtype=latents.dtype) / (num_steps - 1)
    levels = (highest ** (1 / rho) + part * (lowest ** (1 / rho) - highest ** (1 / rho))) ** rho
    levels = [*net.round_sigma(levels), torch.zeros((), dtype=latents.dtype)]
    x = latents * levels[0]
    for t, after in itertools.pairwise(levels):
        t_hat = t * (1 + min(S_churn / num_steps, np.sqrt(2) - 1))
        if S_churn:
            x = x + torch.sqrt(t_hat**2 - t**2) * S_noise * randn_like(x)
        slope = (x - net(x, t_hat, class_labels)) / t_hat
        there = x + (after - t_hat) * slope
        if after > 0:
            slope = (slope + (there - net(there, after, class_labels)) / after) / 2
        x = x + (after - t_hat) * slope
    return x


# ---------------------------------------------------------------- a class with p_sample_loop and ddim_sample_loop


class ModelMeanType(enum.Enum):
    START_X = 1
    EPSILON = 2


class ModelVarType(enum.Enum):
    FIXED_SMALL = 1
    FIXED_LARGE = 2
    LEARNED_RANGE = 3


class Diffusion:
    """DDPM (eqs. 6 and 7) and DDIM (eqs. 12 and 16) on all steps of some betas, t = 0 being the cleanest."""

    def __init__(self, *, betas, model_mean_type, model_var_type):
        self.betas = np.array(betas, dtype=float)
        self.mean_type, self.var_type = model_mean_type, model_var_type
        self.bars = np.cumprod(1 - self.betas)
        self.bars_before = np.append(1.0, self.bars[:-1])
        self.sqrt_alphas_cumprod = np.sqrt(self.bars)
        self.sqrt_one_minus_alphas_cumprod = np.sqrt(1 - self.bars)

    def q_sample(self, x_start, t, noise):
        at = t.numpy().reshape(-1, *[1] * (x_start.ndim - 1))
        a, b = torch.from_numpy(self.sqrt_alphas_cumprod[at]), torch.from_numpy(self.sqrt_one_minus_alphas_cumprod[at])
        return (a * x_start + b * noise).to(x_start.dtype)

    def _predicted(self, model, x, t, clip_denoised):
        """x_0, the noise, and where the network says it the logarithm of the variance."""
        out, log = model(x, torch.full((len(x),), t)), None
        small = self.betas[t] * (1 - self.bars_before[t]) / (1 - self.bars[t])
        if self.var_type is ModelVarType.LEARNED_RANGE:
            out, v = out.chunk(2, 1)
            log = (1 + v) / 2 * np.log(self.betas[t]) + (1 - v) / 2 * np.log(max(small, 1e-20))
        variance = self.betas[t] if self.var_type is ModelVarType.FIXED_LARGE else small
        a, b = self.sqrt_alphas_cumprod[t], self.sqrt_one_minus_alphas_cumprod[t]
        x_0 = out if self.mean_type is ModelMeanType.START_X else (x - b * out) / a
        x_0 = x_0.clamp(-1, 1) if clip_denoised else x_0
        return x_0, (x - a * x_0) / b, np.sqrt(variance) if log is None else torch.exp(log / 2)

    def p_sample_loop(self, model, shape, noise=None, clip_denoised=True, device=None):
        x = torch.randn(*shape) if noise is None else noise
        for t in range(len(self.betas))[::-1]:
            x_0, _, sd = self._predicted(model, x, t, clip_denoised)
            of_x_0 = np.sqrt(self.bars_before[t]) * self.betas[t] / (1 - self.bars[t])
            of_x = np.sqrt(1 - self.betas[t]) * (1 - self.bars_before[t]) / (1 - self.bars[t])
            fresh = torch.randn_like(x)
            x = of_x_0 * x_0 + of_x * x + (sd * fresh if t else 0)
        return x

    def ddim_sample_loop(self, model, shape, noise=None, clip_denoised=True, device=None, eta=0.0):
        x = torch.randn(*shape) if noise is None else noise
        for t in range(len(self.betas))[::-1]:
            x_0, epsilon, _ = self._predicted(model, x, t, clip_denoised)
            bar, before = self.bars[t], self.bars_before[t]
            sigma = eta * np.sqrt((1 - before) / (1 - bar) * (1 - bar / before))
            x = np.sqrt(before) * x_0 + np.sqrt(1 - before - sigma**2) * epsilon + sigma * torch.randn_like(x)
        return x


class Spaced(Diffusion):
    """The same on some of the steps; the network is told the times of training."""

    def __init__(self, use_timesteps, betas, **more):
        self.times = sorted(use_timesteps)
        bars = np.append(1.0, np.cumprod(1 - np.asarray(betas))[self.times])
        super().__init__(betas=1 - bars[1:] / bars[:-1], **more)

    def _predicted(self, model, x, t, clip_denoised):
        return super()._predicted(
            lambda x, t: model(x, torch.full((len(x),), self.times[int(t[0])])), x, t, clip_denoised
        )
