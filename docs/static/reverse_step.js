/* The mathematics of the page "the reverse step": mixtures of Gaussians, one step back, and two chains of them.

   Nothing here draws.  Letters are called as in the Python of this project (x_t, x_prev, alpha_bar_prev), a variance is
   a variance and never its root, and a mixture is {weights, means, variances}.  tests/docs/test_reverse_step.py runs
   these functions in node and compares them with the proved formulas, with numerics.worlds and with quadrature. */

"use strict";

const reverseStepMathematics = (() => {
  const sum = (xs) => xs.reduce((a, b) => a + b, 0);

  // ---------------------------------------------------------------- what is given is looked at

  function within(name, value, low, high) {
    if (typeof value !== "number" || !Number.isFinite(value)) throw new TypeError(`${name} is ${value}; expected a number`);
    if (value < low || value > high) throw new RangeError(`${name} is ${value}; expected ${low} to ${high}`);
    return value;
  }

  function whole(name, value, low, high) {
    if (!Number.isInteger(within(name, value, low, high))) throw new RangeError(`${name} is ${value}; expected a whole number`);
    return value;
  }

  // ---------------------------------------------------------------- mixtures

  /* sum_k weights[k] N(means[k], variances[k]); weights are positive, and are divided by their sum. */
  function mixture(weights, means, variances) {
    const K = weights.length;
    if (K === 0 || means.length !== K || variances.length !== K) {
      throw new RangeError(`${K} weights, ${means.length} means, ${variances.length} variances; expected as many of each`);
    }
    weights.forEach((w) => within("a weight", w, Number.MIN_VALUE, Infinity));
    means.forEach((m) => within("a mean", m, -Infinity, Infinity));
    variances.forEach((v) => within("a variance", v, Number.MIN_VALUE, Infinity));
    const total = sum(weights);
    return { weights: weights.map((w) => w / total), means: [...means], variances: [...variances] };
  }

  const gaussian = (mean, variance) => mixture([1], [mean], [variance]);

  function mean(law) {
    return sum(law.weights.map((w, k) => w * law.means[k]));
  }

  /* E (x - mean)^2 and E (x - mean)^4: within the components, and between them. */
  function centralMoments(law) {
    const centre = mean(law);
    let second = 0, fourth = 0;
    law.weights.forEach((w, k) => {
      const aa = (law.means[k] - centre) ** 2, v = law.variances[k];
      second += w * (aa + v);
      fourth += w * (aa * (aa + 6 * v) + 3 * v * v);
    });
    return { second, fourth };
  }

  const variance = (law) => centralMoments(law).second;

  /* log p, as a function, as far out as numbers reach: what does not depend on x is computed once. */
  function logDensityOf({ weights, means, variances }) {
    const K = weights.length, terms = new Float64Array(K);
    const heights = weights.map((w, k) => Math.log(w) - Math.log(2 * Math.PI * variances[k]) / 2);
    return (x) => {
      let top = -Infinity, total = 0;
      for (let k = 0; k < K; k++) {
        const apart = x - means[k];
        terms[k] = heights[k] - (apart * apart) / (2 * variances[k]);
        if (terms[k] > top) top = terms[k];
      }
      for (let k = 0; k < K; k++) total += Math.exp(terms[k] - top);
      return top + Math.log(total);
    };
  }

  const logDensity = (law, x) => logDensityOf(law)(x);
  const density = (law, x) => Math.exp(logDensity(law, x));

  /* The density at many points. */
  function densities(law, xs) {
    const log = logDensityOf(law);
    return xs.map((x) => Math.exp(log(x)));
  }

  /* p(component | x). */
  function responsibilities(law, x) {
    const total = logDensity(law, x);
    return law.weights.map((w, k) => {
      const v = law.variances[k];
      return Math.exp(Math.log(w) - ((x - law.means[k]) ** 2 / v + Math.log(2 * Math.PI * v)) / 2 - total);
    });
  }

  /* (log p)' and (log p)'': the mean of the pulls towards the means, and their variance less the mean precision. */
  function scores(law, x) {
    const r = responsibilities(law, x);
    const pulls = law.means.map((m, k) => (m - x) / law.variances[k]);
    const score = sum(r.map((p, k) => p * pulls[k]));
    return { score, slope: sum(r.map((p, k) => p * ((pulls[k] - score) ** 2 - 1 / law.variances[k]))) };
  }

  /* The law of scale * x + sqrt(noise) * epsilon. */
  function affine(law, scale, noise) {
    return {
      weights: law.weights,
      means: law.means.map((m) => scale * m),
      variances: law.variances.map((v) => scale * scale * v + noise),
    };
  }

  /* The law of x_t, if this is the law of x_0. */
  const marginal = (law, alphaBar) => affine(law, Math.sqrt(alphaBar), 1 - alphaBar);

  /* The law of x given that scale * x + sqrt(noise) * epsilon = y: each component is conditioned, and reweighed by how
     well it explains y. */
  function conditioned(law, scale, noise, y) {
    const seen = affine(law, scale, noise);
    return {
      weights: responsibilities(seen, y),
      means: law.means.map((m, k) => (noise * m + scale * law.variances[k] * y) / seen.variances[k]),
      variances: law.variances.map((v, k) => (noise * v) / seen.variances[k]),
    };
  }

  // ---------------------------------------------------------------- averages

  const FEWEST = 256, MOST = 1 << 16, REACH = 12; // nodes, and standard deviations on either side

  /* E f(x), component by component: the trapezoid rule in units of its standard deviation, twice the nodes until two
     values agree.  For analytic f it converges geometrically, so that two that agree are both right. */
  function expectation(law, f) {
    return sum(law.weights.map((w, k) => {
      const m = law.means[k], sigma = Math.sqrt(law.variances[k]);
      const term = (z) => Math.exp((-z * z) / 2) * f(m + sigma * z);
      let nodes = FEWEST, h = (2 * REACH) / nodes, total = 0, value, last = Infinity;
      for (let i = 1; i < nodes; i++) total += term(-REACH + i * h);
      for (value = total * h; Math.abs(value - last) > 1e-10 * (1 + Math.abs(value)) && nodes < MOST; value = total * h) {
        for (let i = 0; i < nodes; i++) total += term(-REACH + (i + 0.5) * h);
        last = value;
        nodes *= 2;
        h /= 2;
      }
      return (w * value) / Math.sqrt(2 * Math.PI);
    }));
  }

  /* -E log p(x), in nats. */
  const entropy = (law) => -expectation(law, logDensityOf(law));

  /* E score(x)^2. */
  const fisher = (law) => expectation(law, (x) => scores(law, x).score ** 2);

  /* E_p [log p(x) - log q(x)], in nats. */
  function divergence(p, q) {
    const log_p = logDensityOf(p), log_q = logDensityOf(q);
    return expectation(p, (x) => log_p(x) - log_q(x));
  }

  // ---------------------------------------------------------------- one step back

  /* q(x_{t-1} | x_t) for these data: their marginal at t-1 is the prior, and x_t has been seen. */
  function reverseKernel(data, alpha, alphaBarPrev, x_t) {
    return conditioned(marginal(data, alphaBarPrev), Math.sqrt(alpha), 1 - alpha, x_t);
  }

  /* N(x_t/sqrt(alpha), beta/alpha): the likelihood as a function of x_{t-1}, divided by its integral 1/sqrt(alpha). */
  const naiveKernel = (alpha, x_t) => gaussian(x_t / Math.sqrt(alpha), (1 - alpha) / alpha);

  /* The law of epsilon = (x_t - sqrt(alpha) x_{t-1})/sqrt(beta), if this is the law of x_{t-1}. */
  function noiseOf(kernel, alpha, x_t) {
    const root = Math.sqrt(1 - alpha);
    return {
      weights: kernel.weights,
      means: kernel.means.map((m) => (x_t - Math.sqrt(alpha) * m) / root),
      variances: kernel.variances.map((v) => (alpha * v) / (1 - alpha)),
    };
  }

  /* Everything about one step: the laws, and the numbers that the page shows. */
  function oneStep({ data, beta, alpha_bar_prev, x_t }) {
    within("beta", beta, 1e-6, 0.999999);
    within("alpha_bar_prev", alpha_bar_prev, 1e-6, 1);
    within("x_t", x_t, -1e6, 1e6);
    const alpha = 1 - beta;
    const prior = marginal(data, alpha_bar_prev), seen = affine(prior, Math.sqrt(alpha), beta);
    const exact = conditioned(prior, Math.sqrt(alpha), beta, x_t), naive = naiveKernel(alpha, x_t);
    const noise = noiseOf(exact, alpha, x_t), { score, slope } = scores(seen, x_t);
    const kl = divergence(exact, naive);
    // On average over x_t the divergence is h(x_t) - h(x_{t-1}) - log(alpha)/2; an entropy each, and no double integral.
    const kl_average = entropy(seen) - entropy(prior) - Math.log(alpha) / 2;
    const numbers = {
      beta, alpha, alpha_bar_prev, alpha_bar: alpha * alpha_bar_prev, x_t,
      prior_mean: mean(prior), prior_variance: variance(prior),
      evidence: density(seen, x_t), likelihood_mass: 1 / Math.sqrt(alpha), score, score_slope: slope,
      naive_mean: naive.means[0], naive_variance: naive.variances[0],
      exact_mean: mean(exact), exact_variance: variance(exact),
      noise_mean: mean(noise), noise_variance: variance(noise),
      kl, kl_average, kl_rate: kl / beta, kl_average_rate: kl_average / beta,
      half_score_squared: score ** 2 / 2, half_fisher: fisher(seen) / 2,
    };
    exact.weights.forEach((w, k) => {
      numbers[`exact_weight_${k + 1}`] = w;
      numbers[`exact_mean_${k + 1}`] = exact.means[k];
      numbers[`exact_variance_${k + 1}`] = exact.variances[k];
    });
    return { numbers, data, prior, seen, naive, exact, noise };
  }

  // ---------------------------------------------------------------- a schedule

  const STEPS = 1000;

  /* alpha_bar at 0, 1, ..., T: DDPM's betas, 1000 of them from 1e-4 to 0.02, of which every (1000/T)-th is stopped at.
     So alpha_bar at the end is the same for every T. */
  function schedule(T) {
    whole("T", T, 1, STEPS);
    if (STEPS % T !== 0) throw new RangeError(`T is ${T}; expected a divisor of ${STEPS}`);
    const bars = [1];
    let bar = 1;
    for (let i = 0; i < STEPS; i++) {
      bar *= 1 - (1e-4 + ((0.02 - 1e-4) * i) / (STEPS - 1));
      if ((i + 1) % (STEPS / T) === 0) bars.push(bar);
    }
    return bars;
  }

  /* The laws of both chains at t, started from q_T: the exact one is at q_t; the naive one has divided by the roots of
     the alphas, and added as much noise as that. */
  const exactLaw = (data, bars, t) => marginal(data, bars[t]);

  function naiveLaw(data, bars, t) {
    const left = bars[t] / bars[bars.length - 1];
    return affine(marginal(data, bars[bars.length - 1]), Math.sqrt(left), left - 1);
  }

  /* The divergence of the naive chain's path from the true one: the same, however finely the schedule is cut. */
  function pathDivergence(data, bars) {
    const end = bars[bars.length - 1];
    return entropy(marginal(data, end)) - entropy(data) - Math.log(end) / 2;
  }

  /* The standard error of a standard deviation that n draws of the law are measured to have. */
  function errorOfDeviation(law, n) {
    const { second, fourth } = centralMoments(law);
    return Math.sqrt((fourth - second * second) / n) / (2 * Math.sqrt(second));
  }

  // ---------------------------------------------------------------- draws

  /* Uniform numbers in (0, 1), 53 bits each, the same for the same seed: Chris Doty-Humphrey's sfc32, seeded by
     splitmix32. */
  function uniforms(seed) {
    let s = whole("seed", seed, 0, 2 ** 32 - 1);
    const splitmix = () => {
      s = (s + 0x9e3779b9) | 0;
      let z = s;
      z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
      return z ^ (z >>> 15);
    };
    let a = splitmix(), b = splitmix(), c = splitmix(), counter = 1;
    const word = () => {
      const out = (a + b + counter) | 0;
      counter = (counter + 1) | 0;
      a = b ^ (b >>> 9);
      b = (c + (c << 3)) | 0;
      c = ((c << 21) | (c >>> 11)) + out | 0;
      return out >>> 0;
    };
    for (let i = 0; i < 16; i++) word();
    return () => ((word() >>> 6) * 2 ** 27 + (word() >>> 5) + 0.5) / 2 ** 53;
  }

  /* Standard normals, by the method of Box and Muller. */
  function normals(seed) {
    const uniform = uniforms(seed);
    let spare = null;
    return () => {
      if (spare !== null) {
        const z = spare;
        spare = null;
        return z;
      }
      const r = Math.sqrt(-2 * Math.log(uniform())), angle = 2 * Math.PI * uniform();
      spare = r * Math.sin(angle);
      return r * Math.cos(angle);
    };
  }

  /* A draw of the law: a component, picked by the uniform number u, and in it a draw with the normal z. */
  function drawn(law, u, z) {
    let k = 0;
    for (let passed = law.weights[0]; passed <= u && k < law.weights.length - 1; passed += law.weights[k]) k++;
    return law.means[k] + Math.sqrt(law.variances[k]) * z;
  }

  // ---------------------------------------------------------------- the two chains

  /* One exact step, as a function of x_t, of a uniform number that picks a component of the posterior, and of the noise
     with which to draw from it.  The noise has the sign of the equation x_{t-1} = (x_t - sqrt(beta) epsilon)/sqrt(alpha),
     so that both chains move alike.  It is ``conditioned`` again, but for a million draws: nothing is allocated. */
  function exactStep(prior, alpha) {
    const K = prior.weights.length, scale = Math.sqrt(alpha), noise = 1 - alpha;
    const seen = affine(prior, scale, noise);
    const heights = seen.weights.map((w, k) => Math.log(w) - Math.log(seen.variances[k]) / 2);
    const gains = prior.variances.map((v, k) => (scale * v) / seen.variances[k]);
    const rests = prior.means.map((m, k) => (noise * m) / seen.variances[k]);
    const sigmas = prior.variances.map((v, k) => Math.sqrt((noise * v) / seen.variances[k]));
    const weights = new Float64Array(K);
    return (x_t, u, epsilon) => {
      let top = -Infinity, total = 0, k = 0;
      for (let j = 0; j < K; j++) {
        weights[j] = heights[j] - (x_t - seen.means[j]) ** 2 / (2 * seen.variances[j]);
        if (weights[j] > top) top = weights[j];
      }
      for (let j = 0; j < K; j++) total += weights[j] = Math.exp(weights[j] - top);
      for (let passed = weights[0]; passed <= u * total && k < K - 1; passed += weights[k]) k++;
      return rests[k] + gains[k] * x_t - sigmas[k] * epsilon;
    };
  }

  /* One naive step: the equation above, with noise that knows nothing of x_t. */
  const naiveDraw = (alpha, x_t, epsilon) => (x_t - Math.sqrt(1 - alpha) * epsilon) / Math.sqrt(alpha);

  /* Particles that come down from the same x_T ~ q_T with the same noise, by the exact kernels and by the naive ones. */
  class Chains {
    constructor({ data, T, particles, seed }) {
      this.data = data;
      this.bars = schedule(T);
      this.T = this.t = T;
      this.particles = whole("particles", particles, 2, 1e6);
      // Three streams, so that picking a component takes no normal away from the noise.
      this.normal = normals(seed);
      this.uniform = uniforms((seed ^ 0x5bd1e995) >>> 0);
      this.exact = new Float64Array(particles);
      const start = normals((seed ^ 0x2545f491) >>> 0), end = this.bars[T], seen = marginal(data, end);
      for (let i = 0; i < particles; i++) this.exact[i] = drawn(seen, this.uniform(), start());
      this.naive = Float64Array.from(this.exact);
      this.ends = {
        T, particles, alpha_bar_T: end, data_variance: variance(data), added_variance: 2 * (1 / end - 1),
        naive_variance_end: variance(naiveLaw(data, this.bars, 0)), path_kl: pathDivergence(data, this.bars),
      };
    }

    /* From t to t - 1; at the data there is nothing left to do. */
    step() {
      if (this.t === 0) return;
      const alpha = this.bars[this.t] / this.bars[this.t - 1];
      const exactDraw = exactStep(marginal(this.data, this.bars[this.t - 1]), alpha);
      for (let i = 0; i < this.particles; i++) {
        const epsilon = this.normal();
        this.naive[i] = naiveDraw(alpha, this.naive[i], epsilon);
        this.exact[i] = exactDraw(this.exact[i], this.uniform(), epsilon);
      }
      this.t -= 1;
    }

    /* What the page shows of them: standard deviations as they are, and as they are proved to be. */
    numbers() {
      const exact = exactLaw(this.data, this.bars, this.t), naive = naiveLaw(this.data, this.bars, this.t);
      return {
        ...this.ends, t: this.t,
        exact_sigma: deviation(this.exact), exact_sigma_proved: Math.sqrt(variance(exact)),
        exact_sigma_error: errorOfDeviation(exact, this.particles),
        naive_sigma: deviation(this.naive), naive_sigma_proved: Math.sqrt(variance(naive)),
        naive_sigma_error: errorOfDeviation(naive, this.particles),
      };
    }
  }

  function deviation(xs) {
    let total = 0, squares = 0;
    for (const x of xs) total += x;
    const centre = total / xs.length;
    for (const x of xs) squares += (x - centre) ** 2;
    return Math.sqrt(squares / xs.length);
  }

  return {
    affine, conditioned, densities, density, deviation, divergence, drawn, entropy, errorOfDeviation, exactLaw, exactStep, expectation, fisher,
    gaussian, logDensity, marginal, mean, mixture, naiveDraw, naiveKernel, naiveLaw, noiseOf, normals, oneStep,
    pathDivergence, responsibilities, reverseKernel, schedule, scores, uniforms, variance, whole, within, Chains,
  };
})();

if (typeof module !== "undefined") module.exports = reverseStepMathematics;
