r"""What is true of generative models, and why.

A chapter reads from top to bottom like a textbook: what is said, in which letters, why, and which wrong versions it
must not be mistaken for. In reading order:

    bayes       Bayes' rule: what was believed, and what was seen
        rule              for any densities
        counting          coins: likelihoods are not densities of their parameter, Beta priors
        gaussian          n noisy observations of one number
        linear_gaussian   vectors, seen through a linear map with noise
        flat              what a flat prior is
    elbo        variational inference: a bound on the evidence
        inequalities      the logarithm lies below its tangents: Jensen, and Gibbs
        bound             log p(x) in two parts, and what maximising one of them does
        likelihood        which divergence maximum likelihood minimises, and which modes it cannot drop
        gaussian          where densities are Gaussian, divergences and the bound are arithmetic
        factorised        independent coordinates in the place of correlated ones
        importance        more draws, less loss
    vae         autoencoders that are trained by a bound on the evidence
        losses            what "squares + KL" says
        gradients         by moving the sample, or its weight
        linear            one that can be solved, and what an encoder without correlations loses
        principal         the most probable linear model, from eigenvalues
        collapse          latents that have nothing to say
        surgery           the two parts of the KL term
    gan         adversarial networks: a game, and the divergence that is played for
        discriminator     the best response, pointwise: Bayes' rule as a classifier
        divergence        what it measures, from the match to where nothing is shared
        equilibrium       what an answer of one half means, and what it does not
        generator         which slope it follows, the divergence behind it, and the modes it can afford to drop
        dynamics          two players who follow their slopes turn about the equilibrium
    forward     the forward process: how data turn into noise
        kernel            one step, and all steps so far
        transition        from any time to any later time
        terminal          what is left at the end
        snr               what a step forgets
        clusters          mixtures of Gaussians stay mixtures
        schedules         linear, cosine, zero terminal signal-to-noise ratio
    reversal    why the rearranged forward step is not the reverse step
        naive       the equation solved for x_{t-1}, and what becomes of it with fresh noise
        exploded    how far from the data the naive chain ends, and how little one step of it shows
        bayes       the reverse kernel, and the naive one as Bayes' rule with a flat prior
        posterior   the kernel given both ends, q(x_{t-1} | x_t, x_0)
        score       the mean and the variance of the kernel, from the score
        denoising   x_0 given x_t: its mean, the score as an average, the kernel as a mixture over x_0
        markov      the process backwards is a Markov chain; its equilibrium, in which it is the process forwards
        data        the kernel for mixtures of Gaussians, and for a data set
        chain       the exact kernels one after the other, from q_T and from N(0, 1), and their means alone
        anderson    what chains become as their steps shrink
        bounds      how large the variance of the kernel can be
        distance    how far the naive kernel is from the reverse kernel, and that small steps do not help
        orders      what a small step costs in the naive kernel, in DDPM's, and in the best Gaussian one
    vlb         the loss of diffusion: a bound on the likelihood, one squared error for each step
        bound       what is bounded, and how it comes apart into one divergence for each step
        target      the loss that one can compute, and the one that is meant
        weights     how each step counts: in the mean, in the noise, in x_0
        snr         what the weights add up to, and what the bound costs at best
        matching    what the regression lands on, for noise and for the score
        variance    the best variance of a step
        decoder     the last step, to 256 grey values
    parameterization  one prediction in four spellings
        conversions data, noise, score and velocity, each from another, and how their errors count
        rescaling   one process at two scales, and one network for both
        prediction  what a step makes of a prediction, and where the spellings part
        variance    a learned variance: its scale, and the best place on it
    sampler     from noise to data in so many steps, each an affine map of what is at hand
        ddpm        a jump over any number of steps, and the variance that it is short of
        ddim        any part of the noise is kept, and the rest drawn afresh
        gaussian    Gaussian data: where the flow leads, and how far DDIM stays behind it
        consistency to the end of the flow in one step: on the line, from quantile to quantile
        multistep   the flow as an integral of predictions, which a line or a parabola continues
        stochastic  the same for the reverse diffusion: data held is DDPM, noise held is not
        orders      what one step misses, and all of them
        schedules   levels with equally spaced roots, and churn, which goes back up
        ancestral   the same where noise is only added: down below the target, and up again
        langevin    steps along the score: how far from their law they settle
    sde         continuous time: a diffusion, its reversal, and what it says of densities
        moments     mean and variance of a linear diffusion, and the diffusion that has them
        kernels     diffusions in closed form: VP, VE and sub-VP
        fokker_planck how the density of a diffusion changes, and what carries it back
        likelihood  the log density along the flow, and the entropy of all
        girsanov    what a wrong score costs the path, and its end
    edm         noise levels in the place of times
        denoiser    the score from the best denoiser, and the best denoiser of a data set
        preconditioning inputs and targets of unit size, and how errors count
        equations   the flow at any scale, and with any amount of noise
    guidance    from a law to that law given a label, and past it
        classifier  the score given a label, from a classifier that knows noise
        mean_shift  what a classifier does to one small Gaussian step
        free        past the law given the label: two predictions, and their difference taken too far
        commuting   tilted and then noised is not noised and then tilted
        rescaling   the spread of the coordinates, and how to take it back
    flow        a velocity that carries noise to data
        velocity    the velocity of one path, and of all the paths through a point
        score       the velocity from the score
        gaussian    where every point goes, if the data are Gaussian
        euler       one step from the noise to the data, and when it is exact
        transport   what it costs to go there
    discrete    chains on finitely many states
        noising     any token anew, or a mask
        posterior   Bayes' rule with both ends known, and what a prediction of x_0 makes of it
        rates       continuous time: a ratio of probabilities plays the part of the score
        vlb         the bound with a mask: a weighted cross-entropy

``calculus`` is the small trusted kernel that follows a derivation line by line, ``rendering`` prints it; ``claim`` ties
statements to derivations; ``mutants`` makes wrong formulas.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module

from .claim import Claim

PAGES = (
    "bayes.rule",
    "bayes.counting",
    "bayes.gaussian",
    "bayes.linear_gaussian",
    "bayes.flat",
    "elbo.inequalities",
    "elbo.bound",
    "elbo.likelihood",
    "elbo.gaussian",
    "elbo.factorised",
    "elbo.importance",
    "vae.losses",
    "vae.gradients",
    "vae.linear",
    "vae.principal",
    "vae.collapse",
    "vae.surgery",
    "gan.discriminator",
    "gan.divergence",
    "gan.equilibrium",
    "gan.generator",
    "gan.dynamics",
    "forward.kernel",
    "forward.transition",
    "forward.terminal",
    "forward.snr",
    "forward.clusters",
    "forward.schedules",
    "reversal.naive",
    "reversal.exploded",
    "reversal.bayes",
    "reversal.posterior",
    "reversal.score",
    "reversal.denoising",
    "reversal.markov",
    "reversal.data",
    "reversal.chain",
    "reversal.anderson",
    "reversal.bounds",
    "reversal.distance",
    "reversal.orders",
    "vlb.bound",
    "vlb.target",
    "vlb.weights",
    "vlb.snr",
    "vlb.matching",
    "vlb.variance",
    "vlb.decoder",
    "parameterization.conversions",
    "parameterization.rescaling",
    "parameterization.prediction",
    "parameterization.variance",
    "sampler.ddpm",
    "sampler.ddim",
    "sampler.gaussian",
    "sampler.consistency",
    "sampler.multistep",
    "sampler.stochastic",
    "sampler.orders",
    "sampler.schedules",
    "sampler.ancestral",
    "sampler.langevin",
    "sde.moments",
    "sde.kernels",
    "sde.fokker_planck",
    "sde.likelihood",
    "sde.girsanov",
    "edm.denoiser",
    "edm.preconditioning",
    "edm.equations",
    "guidance.classifier",
    "guidance.mean_shift",
    "guidance.free",
    "guidance.commuting",
    "guidance.rescaling",
    "flow.velocity",
    "flow.score",
    "flow.gaussian",
    "flow.euler",
    "flow.transport",
    "discrete.noising",
    "discrete.posterior",
    "discrete.rates",
    "discrete.vlb",
)


@cache
def claims() -> dict[str, Claim]:
    """Every claim by its id, in reading order."""
    found: dict[str, Claim] = {}
    with everything_stays():
        for page in PAGES:
            for claim in import_module(f".{page}", __name__).CLAIMS:
                if claim.id in found:
                    raise ValueError(f"two claims are called {claim.id}")
                found[claim.id] = claim
    return found


@contextmanager
def everything_stays() -> Iterator[None]:
    """No search for garbage inside: of what pages are made of, nothing is thrown away, now or later."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        if was_enabled:
            gc.enable()
