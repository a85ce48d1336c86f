/* The page "the reverse step": the picture of one step, what one can drag in it, and its numbers. */

"use strict";

(() => {
  const M = reverseStepMathematics, W = reverseStepWords, P = reverseStepPage;
  const { element, shown, inputs, VIEW, LIMITS } = P;
  const root = document.getElementById("reverse-step");
  const words = W.words(root), say = (name, values) => W.set(words[name], values), plain = (name, values) => W.plain(words[name], values);

  const sample = (kind) => `<span class="rs-sample rs-${kind}"></span>`;

  // ---------------------------------------------------------------- the picture: three strips over one axis

  const svg = element("svg:svg", { class: "rs-strips", role: "group", "aria-label": plain("picture") });
  const curves = element("svg:g", { "aria-hidden": "true" });
  const captions = [
    `<span>${sample("prior")}${say("prior")}<em>${say("prior_says")}</em></span><span>${sample("data")}${say("data")}</span>`,
    `<span>${sample("likelihood")}${say("likelihood")}<em>${say("likelihood_says")}</em></span><span>${sample("product")}${say("product")}</span>`,
    `<span>${sample("exact")}${say("exact")}</span><span>${sample("naive")}${say("naive")}</span><em>${say("kernels_say")}</em>`,
  ].map((html) => element("p", { class: "rs-caption", html }));
  const picture = element("div", { class: "rs-picture" }, svg, ...captions);

  // Sizes follow the width of the page; the heights are fixed, so that nothing below ever moves.
  let width = 640, caption = 26, strip = 96;
  const margin = 14, axis = 24, lane = 40;
  const at = (x) => margin + ((x + VIEW) / (2 * VIEW)) * (width - 2 * margin);
  const base = (k) => (k + 1) * (caption + strip);
  const height = () => base(2) + axis + lane;
  const scale = () => {
    const left = svg.getBoundingClientRect().left, zoom = svg.getBoundingClientRect().width / width;
    return {
      at: (x) => left + zoom * at(x),
      value: (px) => (((px - left) / zoom - margin) / (width - 2 * margin)) * 2 * VIEW - VIEW,
    };
  };

  const path = (kind) => curves.appendChild(element("svg:path", { class: `rs-${kind}` }));
  const rules = element("svg:g", { class: "rs-rules", "aria-hidden": "true" });
  const written = element("svg:g", { class: "rs-rules rs-written", "aria-hidden": "true" });
  const drawn = Object.fromEntries(
    ["prior-area", "prior", "data", "product", "likelihood", "exact-area", "exact", "naive", "guide", "naive-mean", "exact-mean", "pull"].map(
      (kind) => [kind, path(kind)],
    ),
  );
  svg.append(rules, curves, written);

  const disc = (k) => ({
    name: `rs-component-${k}`,
    parts: [
      element("svg:circle", { class: "rs-ring", r: 14 }),
      element("svg:circle", { class: "rs-knob", r: 9.5 }),
      element("svg:text", { class: "rs-number", "text-anchor": "middle", dy: "0.36em" }, String(k)),
    ],
  });
  const centres = [0, 1, 2].map((k) =>
    P.handle({
      label: plain("centre", { k: k + 1 }), limits: LIMITS.means, by: 0.05, scale, mark: disc(k + 1),
      read: () => inputs.means[k], write: (x) => P.change({ means: inputs.means.map((m, j) => (j === k ? x : m)) }),
      place: () => [at(inputs.means[k]), base(0)],
    }),
  );
  const flag = {
    name: "rs-seen",
    parts: [
      element("svg:path", { class: "rs-ring", d: "M0 -17L20 -2V25H-20V-2Z" }),
      element("svg:path", { class: "rs-knob", d: "M0 -11L16 1V20H-16V1Z" }),
      P.letter(words.seen, { class: "rs-number", "text-anchor": "middle", y: 13 }),
    ],
  };
  const seen = P.handle({
    label: plain("value_of_seen"), limits: LIMITS.x_t, by: 0.05, scale, mark: flag,
    read: () => inputs.x_t, write: (x_t) => P.change({ x_t }), place: () => [at(inputs.x_t), base(2) + axis + 15],
  });
  svg.append(...centres, seen);

  function ruled() {
    const parts = [], texts = [];
    for (let k = 0; k < 3; k++) parts.push(element("svg:line", { x1: margin, x2: width - margin, y1: base(k), y2: base(k) }));
    for (let x = -VIEW + 1; x < VIEW; x++) {
      parts.push(element("svg:line", { class: "rs-tick", x1: at(x), x2: at(x), y1: base(2), y2: base(2) + 4 }));
      // On a phone the last number makes room for the letter.
      if (width > 480 || x < VIEW - 1) texts.push(element("svg:text", { x: at(x), y: base(2) + 17, "text-anchor": "middle" }, String(x).replace("-", "−")));
    }
    texts.push(P.letter(words.axis, { x: width - margin, y: base(2) + 18, "text-anchor": "end" }));
    rules.replaceChildren(...parts);
    written.replaceChildren(...texts);
  }

  function sized() {
    width = Math.max(picture.clientWidth, 280);
    const style = getComputedStyle(picture);
    caption = parseFloat(style.getPropertyValue("--rs-caption"));
    strip = parseFloat(style.getPropertyValue("--rs-strip"));
    svg.setAttribute("viewBox", `0 0 ${width} ${height()}`);
    svg.setAttribute("height", height());
    captions.forEach((p, k) => { p.style.top = `${k * (caption + strip)}px`; });
    ruled();
  }

  function draw({ data, prior, exact, naive, numbers }) {
    const xs = P.abscissae([data, prior, exact, naive], -VIEW, VIEW, 320);
    const heights = { data: M.densities(data, xs), prior: M.densities(prior, xs), exact: M.densities(exact, xs), naive: M.densities(naive, xs) };
    const top = (list) => Math.max(...list, 1e-300), most = strip - 8;
    const curve = (list, highest, k) => xs.map((x, i) => [at(x), base(k) - (most * list[i]) / highest]);
    const set = (kind, d) => drawn[kind].setAttribute("d", d);

    const priors = curve(heights.prior, top(heights.prior), 0);
    set("prior-area", P.area(priors, base(0)));
    set("prior", P.line(priors));
    set("data", P.line(curve(heights.data, top(heights.data), 0)));
    // The product, with the prior in units of its peak: the part of the likelihood that the prior lets through.
    const let_through = heights.naive.map((p, i) => (p * heights.prior[i]) / top(heights.prior));
    set("likelihood", P.line(curve(heights.naive, top(heights.naive), 1)));
    set("product", P.area(curve(let_through, top(heights.naive), 1), base(1)));
    // The two kernels on one scale, for their areas are both 1.
    const highest = Math.max(top(heights.exact), top(heights.naive)), exacts = curve(heights.exact, highest, 2);
    set("exact-area", P.area(exacts, base(2)));
    set("exact", P.line(exacts));
    set("naive", P.line(curve(heights.naive, highest, 2)));

    const there = at(Math.max(-VIEW, Math.min(VIEW, numbers.naive_mean))), here = at(numbers.exact_mean), up = base(2) - strip + 4;
    const inside = Math.abs(numbers.naive_mean) <= VIEW && Math.abs(numbers.exact_mean) <= VIEW;
    set("guide", `M${at(inputs.x_t)} ${base(2) + axis + 4}L${there} ${base(2)}` + (inside ? `M${there} ${base(1)}V${base(1) - strip + 4}` : ""));
    set("naive-mean", inside ? `M${there} ${base(2)}V${up}` : "");
    set("exact-mean", inside ? `M${here} ${base(2)}V${up}` : "");
    const way = Math.sign(here - there), far = Math.abs(here - there);
    set("pull", inside && far > 9 ? `M${there} ${up + 3}H${here - way}M${here - 6 * way} ${up - 1}L${here - way} ${up + 3}L${here - 6 * way} ${up + 7}` : "");
    centres.forEach((handle, k) => { handle.style.display = k < inputs.components ? "" : "none"; });
  }

  // ---------------------------------------------------------------- the noise, given x_t

  const noiseSvg = element("svg:svg", { class: "rs-noise-curves", role: "img", "aria-label": plain("noise") });
  const noiseHeight = 150, noisePaths = {};
  let noiseWidth = 300;
  const noiseRules = element("svg:g", { class: "rs-rules" });
  noiseSvg.append(noiseRules);
  for (const kind of ["exact-area", "exact", "naive"]) noisePaths[kind] = noiseSvg.appendChild(element("svg:path", { class: `rs-${kind}` }));
  const noise = element("figure", { class: "rs-noise" },
    element("figcaption", { html: `${say("noise")}<em>${say("noise_says")}</em>` }), noiseSvg,
    element("p", { class: "rs-key", html: `<span>${sample("exact")}${say("noise_exact")}</span><span>${sample("naive")}${say("noise_naive")}</span>` }));

  /* The noise grows to the left, as x_{t-1} falls when it grows. */
  const noiseAt = (e) => margin + ((VIEW - e) / (2 * VIEW)) * (noiseWidth - 2 * margin);

  function noiseSized() {
    noiseWidth = Math.max(noiseSvg.parentElement.clientWidth, 240);
    noiseSvg.setAttribute("viewBox", `0 0 ${noiseWidth} ${noiseHeight}`);
    noiseSvg.setAttribute("height", noiseHeight);
    const low = noiseHeight - 22, parts = [element("svg:line", { x1: margin, x2: noiseWidth - margin, y1: low, y2: low })];
    for (let e = -4; e <= 4; e += 2) {
      parts.push(element("svg:line", { class: "rs-tick", x1: noiseAt(e), x2: noiseAt(e), y1: low, y2: low + 4 }));
      parts.push(element("svg:text", { x: noiseAt(e), y: low + 17, "text-anchor": "middle" }, String(e).replace("-", "−")));
    }
    parts.push(P.letter(words.noise_axis, { x: margin, y: low + 18, "text-anchor": "start" }));
    noiseRules.replaceChildren(...parts);
  }

  function drawNoise(law) {
    const standard = M.gaussian(0, 1), es = P.abscissae([law, standard], -VIEW, VIEW, 160), low = noiseHeight - 22;
    const p = M.densities(law, es), n = M.densities(standard, es), top = Math.max(...p, ...n);
    const curve = (list) => es.map((e, i) => [noiseAt(e), low - ((low - 8) * list[i]) / top]);
    noisePaths["exact-area"].setAttribute("d", P.area(curve(p), low));
    noisePaths.exact.setAttribute("d", P.line(curve(p)));
    noisePaths.naive.setAttribute("d", P.line(curve(n)));
  }

  // ---------------------------------------------------------------- numbers

  const row = (head, ...cells) =>
    element("tr", {}, element("th", { scope: "row", html: head }), ...cells.map((cell) => element("td", {}, cell)));
  const heads = (corner, ...names) =>
    element("tr", {}, element("td", { html: corner }), ...names.map(([html, kind]) => element("th", { scope: "col", class: kind, html })));

  const moments = element("table", { class: "rs-numbers" },
    heads("", [say("column_naive"), "rs-of-naive"], [say("column_exact"), "rs-of-exact"]),
    row(say("mean"), shown("naive_mean"), shown("exact_mean")),
    row(say("variance"), shown("naive_variance"), shown("exact_variance")),
    row(say("noise_mean"), "0", shown("noise_mean")),
    row(say("noise_variance"), "1", shown("noise_variance")));
  const limit = (name, number) => element("span", {}, element("span", { class: "rs-limit", html: say(name) }), " ", shown(number, { "data-digits": 3 }));
  const prices = element("table", { class: "rs-numbers rs-prices" },
    heads(say("price"), [say("column_kl"), ""], [say("column_rate"), ""], [say("column_limit"), ""]),
    row(say("here"), shown("kl"), shown("kl_rate"), limit("here_limit", "half_score_squared")),
    row(say("average"), shown("kl_average"), shown("kl_average_rate"), limit("average_limit", "half_fisher")));

  const parts = element("table", { class: "rs-numbers" },
    ...Object.entries(words.others).map(([name, html]) => row(W.set(html), shown(name))));
  const components = element("table", { class: "rs-numbers rs-parts" },
    heads(say("part"), ...["part_weight", "part_mean", "part_variance"].map((name) => [say(name), ""])),
    ...[1, 2, 3].map((k) =>
      row(say("component", { k }), ...["weight", "mean", "variance"].map((what) => shown(`exact_${what}_${k}`)))));
  const rest = element("details", { class: "rs-rest" }, element("summary", {}, plain("parts")), parts, components);

  // ---------------------------------------------------------------- what one can say of it

  const verdict = element("p", { class: "rs-verdict", "aria-live": "polite", "aria-atomic": "true" });
  let speaking = 0;

  function judge({ numbers }) {
    const values = Object.fromEntries(Object.entries(numbers).map(([name, x]) => [name, W.digits(x, 3)]));
    const flat = numbers.kl_average < 0.01 * Math.min(1, 100 * numbers.beta) && numbers.kl_rate < 0.1;
    const kind = flat ? "verdict_flat" : numbers.beta < 0.02 ? "verdict_small" : numbers.kl < 0.02 ? "verdict_here" : "verdict_apart";
    const text = plain(kind, values);
    // A screen reader hears where one has arrived, and not every number on the way.
    clearTimeout(speaking);
    speaking = setTimeout(() => { if (verdict.textContent !== text) verdict.textContent = text; }, verdict.textContent ? 250 : 0);
    svg.setAttribute("aria-label", `${plain("picture")}. ${text}`);
  }

  // ---------------------------------------------------------------- controls

  const { slider, change } = P;
  const sliders = element("fieldset", { class: "rs-panel" }, element("legend", { html: say("step") }),
    slider({ label: say("beta"), spoken: plain("beta"), limits: LIMITS.beta, logarithmic: true, by: 0.01, name: "beta",
      read: () => inputs.beta, write: (beta) => change({ beta }) }),
    slider({ label: say("alpha_bar_prev"), spoken: plain("alpha_bar_prev"), limits: LIMITS.alpha_bar_prev, by: 0.01,
      name: "alpha_bar_prev", read: () => inputs.alpha_bar_prev, write: (alpha_bar_prev) => change({ alpha_bar_prev }) }),
    slider({ label: say("widening"), spoken: plain("widening"), limits: LIMITS.widening, logarithmic: true, by: 0.05, name: "widening",
      read: () => inputs.widening, write: (widening) => change({ widening }) }));

  const others = (list, k, x) => list.map((old, j) => (j === k ? x : old));
  const lines = [0, 1, 2].map((k) =>
    element("div", { class: `rs-component rs-component-${k + 1}`, role: "group", "aria-label": plain("component", { k: k + 1 }) },
      element("span", { class: "rs-badge", "aria-hidden": "true" }, String(k + 1)),
      slider({ label: say("width"), spoken: plain("width_of", { k: k + 1 }), limits: LIMITS.sigmas, logarithmic: true, by: 0.02,
        name: `sigma_${k + 1}`, read: () => inputs.sigmas[k], write: (x) => change({ sigmas: others(inputs.sigmas, k, x) }) }),
      slider({ label: say("weight"), spoken: plain("weight_of", { k: k + 1 }), limits: LIMITS.weights, by: 0.01,
        name: `weight_${k + 1}`, read: () => inputs.weights[k], write: (x) => change({ weights: others(inputs.weights, k, x) }) })));
  const many = P.choice({ name: "rs-components", label: say("components"), values: [1, 2, 3], value: inputs.components,
    pick: (count) => { P.stand(); change({ components: count }); } });
  const law = element("fieldset", { class: "rs-panel" }, element("legend", { html: say("law") }), many, ...lines);

  const again = () => { P.stand(); change(structuredClone(P.START)); };
  const experiments = element("div", { class: "rs-experiments", role: "group", "aria-label": plain("experiments") },
    P.button(say("smaller"), () => { again(); P.lead({ beta: 0.001 }, 3); }, { id: "rs-smaller" }),
    P.button(say("flatter"), () => { again(); P.lead({ widening: 1000 }, 3); }, { id: "rs-flatter" }),
    P.button(say("chains"), () => window.reverseStep.play?.(), { id: "rs-run" }),
    P.button(say("again"), again, { class: "rs-quiet", id: "rs-again" }));

  // ---------------------------------------------------------------- all together

  root.append(experiments, picture, verdict,
    element("div", { class: "rs-panels" }, sliders, law),
    element("div", { class: "rs-panels" }, noise, element("div", { class: "rs-tables" }, moments)),
    prices, rest);
  root.classList.add("rs-ready");

  P.listeners.push((step) => {
    draw(step);
    drawNoise(step.noise);
    judge(step);
    P.show(moments, step.numbers);
    P.show(prices, step.numbers);
    P.show(parts, step.numbers);
    P.show(components, step.numbers);
    many.choose(inputs.components);
    lines.forEach((part, k) => { part.hidden = k >= inputs.components; });
    [...components.rows].forEach((part, k) => { part.hidden = k > inputs.components; });
  });

  const resized = () => { sized(); noiseSized(); P.flush(); };
  resized();
  new ResizeObserver(() => { if (picture.clientWidth !== width) resized(); }).observe(picture);
})();
