/* What the page "the reverse step" says, in English and in Chinese, and how its letters are set.

   The Chinese page speaks the letters of the note from which the project grew: a step leads from x_t to x_{t+1}, its
   noise sigma_t is N(0, 1), and alpha is the part of the variance that it keeps. */

"use strict";

const reverseStepWords = (() => {
  const english = {
    experiments: "Three experiments",
    smaller: "make the step small",
    flatter: "flatten the prior",
    chains: "run the chains",
    again: "start again",

    prior: "<b>prior</b> $q_{t−1}(x_{t−1})$",
    prior_says: "which $x_{t−1}$ there were",
    data: "data $q_0$",
    likelihood: "<b>likelihood</b> $q(x_t | x_{t−1})$",
    likelihood_says: "how well each explains $x_t$",
    product: "times the prior",
    exact: "<b>exact</b> $q(x_{t−1} | x_t)$",
    naive: "<b>naive</b> $\\N(x_t/√{α_t}, β_t/α_t)$",
    kernels_say: "both with area 1",
    axis: "x_{t−1}",
    seen: "x_t",
    picture: "Prior, likelihood and posterior",

    step: "The step",
    beta: "noise of this step, $β_t$",
    alpha_bar_prev: "signal left before it, $\\bar α_{t−1}$",
    widening: "data widened, times",
    law: "The data",
    components: "Gaussian components",
    component: "component {k}",
    centre: "centre of component {k} of the data",
    width: "width",
    weight: "weight",
    value_of_seen: "what one sees, x t",
    width_of: "standard deviation of component {k}",
    weight_of: "weight of component {k}",

    noise: "<b>The noise, given</b> $x_t$",
    noise_says: "the last picture, magnified: $x_{t−1} = (x_t − √{β_t} ε_t)/√{α_t}$",
    noise_axis: "ε_t",
    noise_exact: "its law given $x_t$",
    noise_naive: "fresh noise, $\\N(0, 1)$",

    column_naive: "naive",
    column_exact: "exact",
    mean: "mean of $x_{t−1}$",
    variance: "variance of $x_{t−1}$",
    noise_mean: "mean of $ε_t$",
    noise_variance: "variance of $ε_t$",
    price: "KL(exact, naive)",
    column_kl: "nats",
    column_rate: "divided by $β_t$",
    column_limit: "if $β_t$ is small",
    here: "at this $x_t$",
    average: "average over $x_t$",
    here_limit: "$s_t^2/2$ =",
    average_limit: "$E s_t^2/2$ =",
    parts: "All numbers of this step",
    part: "exact posterior",
    part_weight: "weight",
    part_mean: "mean",
    part_variance: "variance",
    others: {
      alpha: "$α_t = 1 − β_t$",
      alpha_bar: "$\\bar α_t$, the signal left after the step",
      likelihood_mass: "area of the likelihood, $1/√{α_t}$",
      evidence: "area of the product, $q_t(x_t)$",
      score: "score $s_t(x_t)$",
      score_slope: "its slope $s_t'(x_t)$",
      prior_mean: "mean of the prior",
      prior_variance: "variance of the prior",
    },

    verdict_apart:
      "The prior moves the mean from {naive_mean} to {exact_mean} and the variance from {naive_variance} to {exact_variance}: " +
      "the naive kernel is off by {kl} nats.",
    verdict_flat: "The prior is all but flat where the likelihood is, and the two kernels agree to {kl} nats.",
    verdict_here: "For what is seen here the two kernels happen to agree to {kl} nats; on average they are off by {kl_average}.",
    verdict_small: "The step is small, and so is the error, {kl} nats; for each unit of noise it is {kl_rate}.",

    play: "Play",
    pause: "Pause",
    one_step: "One step",
    reset: "Back to $x_T$",
    draws: "Other draws",
    steps: "steps",
    chain_exact: "<b>exact kernel</b>",
    chain_naive: "<b>naive kernel</b>",
    near: "on the scale of the data",
    far: "the same, on a scale that grows",
    deviations: "standard deviation: lines are proved, dots are the particles",
    time: "t",
    now: "at $t$ = {t}",
    measured: "standard deviation, {particles} particles",
    proved: "proved",
    end: "variance at $t$ = 0",
    chain_sum: "Naive variance at $t$ = 0: that of the data, plus $2(1/\\bar α_T − 1)$ =",
    path: "KL of the whole path:",
    whatever: "nats. Both are the same for every number of steps.",
    canvas_near: "Particles of both chains, on the scale of the data",
    canvas_far: "Particles of both chains, on the scale of the naive one",
    canvas_sigma: "Standard deviations of both chains on their way down",
    arrived: "At the data: the exact chain has the standard deviation {exact_sigma}, the naive one {naive_sigma}.",
    stopped: "Stopped at t = {t}: standard deviation {exact_sigma} of the exact chain, {naive_sigma} of the naive one.",
  };

  const chinese = {
    experiments: "三个实验",
    smaller: "把步长变小",
    flatter: "把先验变平",
    chains: "运行两条链",
    again: "重新开始",

    prior: "<b>先验</b> $q(x_t)$",
    prior_says: "哪些 $x_t$ 本来就多",
    data: "数据 $q(x_0)$",
    likelihood: "<b>似然</b> $q(x_{t+1} | x_t)$",
    likelihood_says: "每个 $x_t$ 多能解释 $x_{t+1}$",
    product: "乘以先验",
    exact: "<b>精确后验</b> $q(x_t | x_{t+1})$",
    naive: "<b>朴素核</b> $\\N(x_{t+1}/√{α}, (1−α)/α)$",
    kernels_say: "面积都是 1",
    axis: "x_t",
    seen: "x_{t+1}",
    picture: "先验、似然与后验",

    step: "这一步",
    beta: "这一步的噪声 $1−α$",
    alpha_bar_prev: "此前剩下的信号 $\\bar α_t$",
    widening: "数据拉宽的倍数",
    law: "数据",
    components: "高斯分量的个数",
    component: "分量 {k}",
    centre: "数据分量 {k} 的中心",
    width: "宽度",
    weight: "权重",
    value_of_seen: "看到的值 x t+1",
    width_of: "分量 {k} 的标准差",
    weight_of: "分量 {k} 的权重",

    noise: "<b>给定</b> $x_{t+1}$ <b>时的噪声</b>",
    noise_says: "上面最后一栏的放大：$x_t = (x_{t+1} − √{1−α} σ_t)/√{α}$",
    noise_axis: "σ_t",
    noise_exact: "给定 $x_{t+1}$ 时的分布",
    noise_naive: "新取的噪声 $\\N(0, 1)$",

    column_naive: "朴素",
    column_exact: "精确",
    mean: "$x_t$ 的均值",
    variance: "$x_t$ 的方差",
    noise_mean: "$σ_t$ 的均值",
    noise_variance: "$σ_t$ 的方差",
    price: "KL(精确, 朴素)",
    column_kl: "nat",
    column_rate: "除以 $1−α$",
    column_limit: "步长小时",
    here: "在这个 $x_{t+1}$",
    average: "对 $x_{t+1}$ 平均",
    here_limit: "$s^2/2$ =",
    average_limit: "$E s^2/2$ =",
    parts: "这一步的全部数值",
    part: "精确后验",
    part_weight: "权重",
    part_mean: "均值",
    part_variance: "方差",
    others: {
      alpha: "$α$",
      alpha_bar: "$\\bar α_{t+1}$，这一步之后剩下的信号",
      likelihood_mass: "似然的面积 $1/√{α}$",
      evidence: "乘积的面积 $q(x_{t+1})$",
      score: "得分 $s(x_{t+1})$",
      score_slope: "得分的斜率 $s'(x_{t+1})$",
      prior_mean: "先验的均值",
      prior_variance: "先验的方差",
    },

    verdict_apart:
      "先验把均值从 {naive_mean} 移到 {exact_mean}，把方差从 {naive_variance} 变成 {exact_variance}：朴素核差了 {kl} nat。",
    verdict_flat: "在似然所及之处先验几乎是平的，两个核只差 {kl} nat。",
    verdict_here: "在这一点两个核碰巧只差 {kl} nat；对看到的值平均，相差 {kl_average} nat。",
    verdict_small: "步长小，误差也小，只有 {kl} nat；但按每单位噪声算，误差是 {kl_rate}。",

    play: "播放",
    pause: "暂停",
    one_step: "走一步",
    reset: "回到 $x_T$",
    draws: "换一批随机数",
    steps: "步数",
    chain_exact: "<b>精确核</b>",
    chain_naive: "<b>朴素核</b>",
    near: "按数据的尺度",
    far: "同样的粒子，纵轴不断增长",
    deviations: "标准差：线是证明的，点是粒子的",
    time: "t",
    now: "$t$ = {t} 时",
    measured: "{particles} 个粒子的标准差",
    proved: "证明的值",
    end: "$t$ = 0 时的方差",
    chain_sum: "朴素链在 $t$ = 0 的方差：数据的方差，加上 $2(1/\\bar α_T − 1)$ =",
    path: "整条路径的 KL：",
    whatever: "nat。两者都与步数无关。",
    canvas_near: "两条链的粒子，按数据的尺度",
    canvas_far: "两条链的粒子，按朴素链的尺度",
    canvas_sigma: "两条链的标准差",
    arrived: "到达数据：精确链的标准差是 {exact_sigma}，朴素链的是 {naive_sigma}。",
    stopped: "停在 t = {t}：精确链的标准差是 {exact_sigma}，朴素链的是 {naive_sigma}。",
  };

  /* The words of the language of an element, or of the page. */
  function words(element) {
    const spoken = element.closest("[lang]")?.lang ?? "en";
    return spoken.toLowerCase().startsWith("zh") ? chinese : english;
  }

  // ---------------------------------------------------------------- letters

  /* A formula as HTML.  Letters lean; _{...} and ^{...} are low and high, \bar has a bar, √{...} a roof, \N is the
     normal law. */
  function formula(source) {
    let out = "";
    for (let i = 0; i < source.length; ) {
      const rest = source.slice(i);
      const group = /^(\\bar |√|_|\^)(\{([^}]*)\}|.)/u.exec(rest);
      if (group) {
        const inside = formula(group[3] ?? group[2]);
        if (group[1] === "√") out += `<span class="rs-root">√<span>${inside}</span></span>`;
        else if (group[1] === "_") out += `<sub>${inside}</sub>`;
        else if (group[1] === "^") out += `<sup>${inside}</sup>`;
        else out += `<span class="rs-bar">${inside}</span>`;
        i += group[0].length;
      } else if (rest.startsWith("\\N")) {
        out += '<span class="rs-script">N</span>';
        i += 2;
      } else {
        const character = source[i++];
        if (/[a-zA-ZE\u03b1-\u03c9]/u.test(character)) out += `<i>${character}</i>`;
        else if (character === "|") out += '<span class="rs-bar-between">|</span>';
        else if (character === "'") out += "′";
        else out += character;
      }
    }
    return out;
  }

  /* Words with formulas between dollars, as HTML; {name} is filled in. */
  function set(text, values = {}) {
    const parts = text.split("$");
    return parts
      .map((part, k) => {
        if (k % 2) return `<span class="rs-math">${formula(part)}</span>`;
        return filled(part, values);
      })
      .join("");
  }

  const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");

  /* Words as one speaks them: without marks. */
  const plain = (text, values = {}) =>
    filled(text.replace(/<[^>]*>/g, "").replace(/\$[^$]*\$/g, (part) => part.replace(/\\bar /g, "bar ").replace(/_/g, " ").replace(/[${}\\]/g, "")), values);

  /* A number with four digits, as one reads it: −0.0123, 49 554, 3.2·10⁻⁷. */
  function digits(x, significant = 4) {
    if (!Number.isFinite(x)) return "–";
    if (x === 0) return "0";
    const size = Math.abs(Number(x.toPrecision(significant)));
    let shown;
    if (size < 1e-3 || size >= 1e6) {
      const [mantissa, exponent] = x.toExponential(Math.max(significant - 2, 0)).split("e");
      const raised = [...String(Number(exponent))].map((c) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[c] ?? "⁻").join("");
      shown = `${mantissa}·10${raised}`;
    } else if (size >= 1000) {
      shown = Math.round(x).toString().replace(/\B(?=(\d{3})+$)/g, "\u202f");
    } else shown = x.toPrecision(significant);
    return shown.replace("-", "−");
  }

  return { english, chinese, words, formula, set, plain, filled, digits };
})();

if (typeof module !== "undefined") module.exports = reverseStepWords;
