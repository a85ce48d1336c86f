/* The page "the reverse step", second part: the two chains.  Builds itself into <div id="reverse-chains">, and adds
   play, pause, advance and reset to window.reverseStep. */

"use strict";

(() => {
  const M = reverseStepMathematics, W = reverseStepWords, P = reverseStepPage;
  const { element, shown } = P;
  const root = document.getElementById("reverse-chains");
  const words = W.words(root), say = (name, values) => W.set(words[name], values), plain = (name, values) => W.plain(words[name], values);

  const PARTICLES = 2000, TRAILS = 48, LENGTHS = [10, 50, 200, 1000], SECONDS = { 10: 5, 50: 6, 200: 8, 1000: 10 };
  let T = 200, seed = 1, chains, trails, dots, playing = false, frame = 0, owed = 0, clock = 0, made = "", stale = 0;

  // ---------------------------------------------------------------- the run

  function begin() {
    clearTimeout(stale);
    pause();
    report.textContent = "";
    const data = P.data();
    made = JSON.stringify(data);
    chains = new M.Chains({ data, T, particles: PARTICLES, seed });
    trails = { exact: [], naive: [] };
    dots = [];
    note();
    draw();
  }

  /* Remember where the particles that are drawn have been, and how wide both chains were. */
  function note() {
    for (const kind of ["exact", "naive"]) trails[kind][chains.t] = Float64Array.from(chains[kind].subarray(0, TRAILS));
    if (chains.t % Math.max(T / 40, 1) === 0) dots.push({ t: chains.t, exact: M.deviation(chains.exact), naive: M.deviation(chains.naive) });
  }

  function advance(steps = 1) {
    fresh();
    for (let i = 0; i < steps && chains.t > 0; i++) {
      chains.step();
      note();
    }
    draw();
    if (chains.t === 0) stop("arrived");
  }

  function tick(now) {
    if (!playing) return;
    // With reduced motion, ten still pictures and no film.
    const beat = P.still.matches ? 500 : 0;
    if (now - clock >= beat) {
      owed += P.still.matches ? T / 10 : (Math.min(now - clock, 100) * T) / (1000 * SECONDS[T]);
      clock = now;
      const steps = Math.floor(owed);
      owed -= steps;
      if (steps) advance(steps);
    }
    if (playing) frame = requestAnimationFrame(tick);
  }

  function play() {
    if (fresh().t === 0) begin();
    playing = true;
    owed = 0;
    clock = performance.now();
    labelled();
    frame = requestAnimationFrame(tick);
  }

  function pause() {
    playing = false;
    cancelAnimationFrame(frame);
    labelled();
  }

  function stop(why) {
    const before = playing;
    pause();
    const numbers = chains.numbers(), values = Object.fromEntries(Object.entries(numbers).map(([name, x]) => [name, W.digits(x, 3)]));
    if (before || why === "arrived") report.textContent = plain(why, { ...values, t: numbers.t });
  }

  // ---------------------------------------------------------------- controls

  const toggle = P.button(plain("play"), () => (playing ? stop("stopped") : play()), { class: "rs-play", id: "rs-play" });
  const labelled = () => { toggle.textContent = plain(playing ? "pause" : "play"); toggle.classList.toggle("rs-playing", playing); };
  const lengths = P.choice({ name: "rs-steps", label: say("steps"), values: LENGTHS, value: T, pick: (chosen) => { T = chosen; begin(); } });
  const bar = element("div", { class: "rs-toolbar" }, toggle,
    P.button(say("one_step"), () => { pause(); advance(); }, { id: "rs-one-step" }),
    P.button(say("reset"), begin, { id: "rs-reset" }),
    P.button(say("draws"), () => { seed += 1; begin(); }, { id: "rs-draws" }), lengths);

  const sample = (kind) => `<span class="rs-sample rs-${kind}"></span>`;
  const key = element("p", { class: "rs-key", html: `<span>${sample("exact")}${say("chain_exact")}</span><span>${sample("likelihood")}${say("chain_naive")}</span>` });

  const plot = (name, label) => {
    const canvas = element("canvas", { role: "img", "aria-label": plain(label), class: `rs-canvas rs-${name}` });
    return { canvas, figure: element("figure", { class: "rs-plot" }, element("figcaption", { html: say(name) }), canvas) };
  };
  const near = plot("near", "canvas_near"), far = plot("far", "canvas_far"), sigmas = plot("deviations", "canvas_sigma");

  const cell = (...children) => element("td", {}, ...children);
  const heading = (html) => element("th", { scope: "row", html });
  const now = element("td");
  const table = element("table", { class: "rs-numbers" },
    element("tr", {}, now, element("th", { scope: "col", class: "rs-of-naive", html: say("column_naive") }), element("th", { scope: "col", class: "rs-of-exact", html: say("column_exact") })),
    element("tr", {}, heading(say("measured", { particles: W.digits(PARTICLES) })),
      cell(shown("naive_sigma"), element("small", {}, " ± ", shown("naive_sigma_error", { "data-digits": 2 }))),
      cell(shown("exact_sigma"), element("small", {}, " ± ", shown("exact_sigma_error", { "data-digits": 2 })))),
    element("tr", {}, heading(say("proved")), cell(shown("naive_sigma_proved")), cell(shown("exact_sigma_proved"))),
    element("tr", {}, heading(say("end")), cell(shown("naive_variance_end")), cell(shown("data_variance"))));
  const sums = element("p", { class: "rs-sums" },
    element("span", { html: `${say("chain_sum")} ` }), shown("added_variance"), element("br"),
    element("span", { html: `${say("path")} ` }), shown("path_kl"), element("span", { html: ` ${say("whatever")}` }));
  const report = element("p", { class: "rs-report", "aria-live": "polite" });

  // ---------------------------------------------------------------- drawing

  let colours = {};

  function inked(light) {
    const style = getComputedStyle(root), of = (name) => style.getPropertyValue(light ? `--rs-print-${name}` : `--rs-${name}`).trim();
    colours = { exact: of("exact"), naive: of("naive"), prior: of("prior"), pale: of("pale"), ink: of("ink"), font: style.fontFamily };
  }

  /* A canvas as sharp as the screen, with time running down from left to right. */
  function sheet(canvas) {
    const ratio = Math.max(window.devicePixelRatio || 1, 1), w = canvas.clientWidth, h = canvas.clientHeight;
    if (canvas.width !== Math.round(w * ratio)) canvas.width = Math.round(w * ratio);
    if (canvas.height !== Math.round(h * ratio)) canvas.height = Math.round(h * ratio);
    const pen = canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, w, h);
    pen.font = `${w < 480 ? 11 : 12}px ${colours.font}`;
    const left = 46, right = w - Math.max(52, w * 0.13), top = 6, low = h - 20;
    return { pen, w, h, left, right, top, low, at: (t) => left + ((right - left) * (T - t)) / T };
  }

  /* Round numbers between 0 and most, three or four of them. */
  function roundly(most) {
    const power = 10 ** Math.floor(Math.log10(most / 2)), by = [1, 2, 5, 10].map((k) => k * power).find((step) => most / step < 3.5);
    return Array.from({ length: Math.floor(most / by) }, (_, k) => (k + 1) * by);
  }

  function timed({ pen, w, left, right, low, at }) {
    pen.fillStyle = colours.ink;
    pen.textBaseline = "top";
    for (const part of w < 480 ? [1, 0.5, 0] : [1, 0.75, 0.5, 0.25, 0]) {
      const t = Math.round(T * part);
      pen.textAlign = t === T ? "left" : "center";
      pen.fillText(t === T ? `${words.time} = ${written(t)}` : written(t), t === T ? left : at(t), low + 5);
    }
    pen.strokeStyle = colours.prior;
    pen.lineWidth = 1;
    pen.beginPath();
    pen.moveTo(left, low + 0.5);
    pen.lineTo(right, low + 0.5);
    pen.stroke();
  }

  function levels({ pen, left, right }, values, y, written) {
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    pen.lineWidth = 1;
    for (const v of values) {
      pen.strokeStyle = colours.pale;
      pen.beginPath();
      pen.moveTo(left, Math.round(y(v)) + 0.5);
      pen.lineTo(right, Math.round(y(v)) + 0.5);
      pen.stroke();
      pen.fillStyle = colours.ink;
      pen.fillText(written(v), left - 6, y(v));
    }
  }

  const written = (v) => (Math.abs(v) < 1 && v !== 0 ? String(Number(v.toPrecision(2))) : W.digits(v).replace(/\.0*$/, "")).replace("-", "−");

  /* Particles of both chains on their way, in a window of this half-height around the mean of the data; on the right
     where the particles of one chain are now, with the law that is proved. */
  function swarm(canvas, half, kind, law) {
    const s = sheet(canvas), { pen, left, right, top, low, w, at } = s;
    const middle = (top + low) / 2, y = (x) => middle - ((low - top) / 2) * (x / half), round = roundly(half);
    levels(s, [...round.map((v) => -v).reverse(), 0, ...round], y, written);
    timed(s);
    pen.save();
    pen.beginPath();
    pen.rect(left, top, w - left, low - top);
    pen.clip();
    const stride = Math.max(1, Math.floor(T / 250));
    for (const which of ["naive", "exact"]) {
      pen.strokeStyle = pen.fillStyle = colours[which];
      pen.lineJoin = "round";
      for (let i = 0; i < TRAILS; i++) {
        pen.globalAlpha = i ? 0.3 : 1;
        pen.lineWidth = i ? 0.8 : 1.8;
        pen.beginPath();
        for (let t = T; t >= chains.t; t = t > chains.t ? Math.max(t - stride, chains.t) : -1) {
          const x = trails[which][t][i];
          if (t === T) pen.moveTo(at(t), y(x));
          else pen.lineTo(at(t), y(x));
        }
        pen.stroke();
        pen.globalAlpha = i ? 0.55 : 1;
        pen.beginPath();
        pen.arc(at(chains.t), y(trails[which][chains.t][i]), i ? 1.6 : 3, 0, 2 * Math.PI);
        pen.fill();
      }
    }
    gathered(s, y, half, chains[kind], law, kind);
    pen.restore();
  }

  /* A histogram, lying on its side. */
  function gathered({ pen, right, w, top, low }, y, half, xs, law, kind) {
    const bins = 44, counts = new Float64Array(bins), foot = right + 8;
    for (const x of xs) {
      const k = Math.floor(((x + half) / (2 * half)) * bins);
      if (k >= 0 && k < bins) counts[k] += 1;
    }
    const grid = P.abscissae([law], -half, half, 80), heights = M.densities(law, grid);
    const unit = (w - foot - 4) / (1.15 * Math.max(...heights)), thick = (2 * half) / bins;
    pen.fillStyle = colours[kind];
    pen.globalAlpha = 0.35;
    counts.forEach((count, k) => {
      const high = y(-half + (k + 1) * thick), length = (unit * count) / (xs.length * thick);
      pen.fillRect(foot, high + 0.5, length, (low - top) / bins - 1);
    });
    pen.globalAlpha = 1;
    pen.strokeStyle = colours[kind];
    pen.lineWidth = 1.5;
    pen.beginPath();
    grid.forEach((x, i) => pen.lineTo(foot + unit * heights[i], y(x)));
    pen.stroke();
  }

  function curves(canvas) {
    const s = sheet(canvas), { pen, top, low, at } = s, { data, bars } = chains;
    const ts = Array.from({ length: Math.min(T, 200) + 1 }, (_, k) => Math.round((k * T) / Math.min(T, 200)));
    const proved = { naive: ts.map((t) => Math.sqrt(M.variance(M.naiveLaw(data, bars, t)))), exact: ts.map((t) => Math.sqrt(M.variance(M.exactLaw(data, bars, t)))) };
    const all = [...proved.naive, ...proved.exact], lowest = Math.log10(Math.min(...all)) - 0.2, highest = Math.log10(Math.max(...all)) + 0.2;
    const y = (v) => low - ((low - top) * (Math.log10(v) - lowest)) / (highest - lowest), powers = [];
    for (let k = Math.ceil(lowest); k <= highest; k++) powers.push(10 ** k);
    levels(s, powers, y, written);
    timed(s);
    for (const kind of ["naive", "exact"]) {
      pen.strokeStyle = pen.fillStyle = colours[kind];
      pen.lineWidth = 1.6;
      pen.beginPath();
      ts.forEach((t, k) => pen.lineTo(at(t), y(proved[kind][k])));
      pen.stroke();
      for (const dot of dots) {
        pen.beginPath();
        pen.arc(at(dot.t), y(dot[kind]), 2.8, 0, 2 * Math.PI);
        pen.fill();
      }
    }
  }

  function draw() {
    const numbers = chains.numbers(), { data, bars, t } = chains;
    const exact = M.exactLaw(data, bars, t), naive = M.naiveLaw(data, bars, t);
    const widest = Math.max(Math.sqrt(M.variance(data)), 1), reach = Math.max(...data.means.map(Math.abs)) + 1;
    swarm(near.canvas, 1.2 * Math.max(3 * widest, reach), "exact", exact);
    swarm(far.canvas, 1.2 * Math.max(3 * widest, reach, 3 * numbers.naive_sigma_proved), "naive", naive);
    curves(sigmas.canvas);
    P.show(table, numbers);
    P.show(sums, numbers);
    now.innerHTML = say("now", { t });
  }

  // ---------------------------------------------------------------- all together

  root.append(bar, key, near.figure, far.figure, sigmas.figure, table, sums, report);
  root.classList.add("rs-ready");
  inked();
  begin();

  // Other data make another chain, once they are let go.
  P.listeners.push(() => {
    if (JSON.stringify(P.data()) === made) return clearTimeout(stale);
    pause();
    clearTimeout(stale);
    stale = setTimeout(begin, 150);
  });

  /* The chains of the data as they are now. */
  function fresh() {
    if (JSON.stringify(P.data()) !== made) begin();
    return chains;
  }

  const repaint = (light = false) => { inked(light); draw(); };
  window.addEventListener("beforeprint", () => repaint(true));
  window.addEventListener("afterprint", () => repaint());
  new MutationObserver(() => repaint()).observe(document.body, { attributes: true, attributeFilter: ["data-theme"] });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => repaint());
  let wide = near.canvas.clientWidth;
  new ResizeObserver(() => { if (near.canvas.clientWidth !== wide) { wide = near.canvas.clientWidth; draw(); } }).observe(near.canvas);
  document.fonts?.ready.then(() => draw());

  const { state, set } = window.reverseStep;
  Object.assign(window.reverseStep, {
    state: () => ({ ...state(), chains: { ...fresh().numbers(), seed, playing } }),
    set: ({ T: chosen = T, seed: drawn = seed, ...rest }) => {
      if (!LENGTHS.includes(chosen)) throw new RangeError(`T is ${chosen}; expected one of ${LENGTHS.join(", ")}`);
      const other = chosen !== T || drawn !== seed;
      T = chosen;
      seed = M.whole("seed", drawn, 0, 2 ** 32 - 1);
      lengths.choose(T);
      if (other) begin();
      return set(rest);
    },
    play: () => { root.scrollIntoView({ behavior: P.still.matches ? "auto" : "smooth", block: "start" }); play(); },
    pause, reset: begin,
    advance: (steps) => { pause(); advance(steps); },
  });
})();
