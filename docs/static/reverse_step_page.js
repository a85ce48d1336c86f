/* The page "the reverse step", first part: one step.  Builds itself into <div id="reverse-step">, and offers
   window.reverseStep: state() says all inputs and numbers, set({...}) changes inputs. */

"use strict";

const reverseStepPage = (() => {
  const M = reverseStepMathematics, W = reverseStepWords;
  const VIEW = 5; // the axis of x shows -5..5
  const LIMITS = {
    beta: [1e-4, 0.9], alpha_bar_prev: [0.01, 1], x_t: [-4.5, 4.5], widening: [1, 1000],
    means: [-4, 4], sigmas: [0.05, 2], weights: [0.02, 1],
  };
  const START = {
    beta: 0.3, alpha_bar_prev: 0.8, x_t: 0.2, widening: 1, components: 2,
    means: [-1.5, 1.5, 0], sigmas: [0.35, 0.45, 0.2], weights: [0.4, 0.7, 0.3],
  };
  const still = window.matchMedia("(prefers-reduced-motion: reduce)");

  // ---------------------------------------------------------------- elements

  /* An element: of HTML, or of SVG where its name begins with "svg:". */
  function element(name, attributes = {}, ...children) {
    const made = name.startsWith("svg:")
      ? document.createElementNS("http://www.w3.org/2000/svg", name.slice(4))
      : document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (key === "html") made.innerHTML = value;
      else if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
      else if (value === true) made.setAttribute(key, "");
      else if (value !== null && value !== false) made.setAttribute(key, value);
    }
    made.append(...children);
    return made;
  }

  /* A number on the page: rounded for the eye, whole in data-value. */
  const shown = (name, attributes = {}) => element("data", { "data-name": name, ...attributes });

  function show(root, numbers) {
    for (const place of root.querySelectorAll("[data-name]")) {
      const value = numbers[place.dataset.name];
      if (value === undefined) continue;
      place.dataset.value = place.value = String(value);
      place.textContent = W.digits(value, Number(place.dataset.digits ?? 4));
    }
  }

  // ---------------------------------------------------------------- inputs

  const inputs = structuredClone(START);
  const listeners = [];
  let waiting = 0, last = null, moving = 0;

  /* The data: of the components that are switched on, widened. */
  function data() {
    const some = (list) => list.slice(0, inputs.components);
    return M.mixture(some(inputs.weights), some(inputs.means), some(inputs.sigmas).map((s) => (s * inputs.widening) ** 2));
  }

  const step = () => M.oneStep({ data: data(), beta: inputs.beta, alpha_bar_prev: inputs.alpha_bar_prev, x_t: inputs.x_t });

  /* Change some inputs; the page follows with the next frame.  Raises RangeError, with what was expected. */
  function change(patch) {
    const next = {};
    for (const [name, value] of Object.entries(patch)) {
      if (["means", "sigmas", "weights"].includes(name)) {
        if (!Array.isArray(value) || value.length < 1 || value.length > 3) throw new RangeError(`${name}: expected 1 to 3 numbers`);
        value.forEach((x) => M.within(name, x, ...LIMITS[name]));
        next[name] = [...value, ...inputs[name].slice(value.length)];
      } else if (name === "components") next.components = M.whole(name, value, 1, 3);
      else if (name in LIMITS) next[name] = M.within(name, value, ...LIMITS[name]);
      else throw new RangeError(`there is no input called ${name}; inputs are ${Object.keys(START).join(", ")}`);
    }
    Object.assign(inputs, next);
    last = null;
    if (!waiting) waiting = requestAnimationFrame(flush);
  }

  /* Draw what has changed, now. */
  function flush() {
    cancelAnimationFrame(waiting);
    waiting = 0;
    last ??= step();
    for (const listener of listeners) listener(last, inputs);
  }

  /* Lead some inputs to other values, over a while; in logarithms, for they are positive. */
  function lead(patch, seconds) {
    cancelAnimationFrame(moving);
    if (still.matches) return change(patch);
    const from = Object.fromEntries(Object.keys(patch).map((name) => [name, inputs[name]])), start = performance.now();
    const frame = (now) => {
      const done = Math.min((now - start) / (1000 * seconds), 1), eased = done * done * (3 - 2 * done);
      const between = (name) => Math.exp(Math.log(from[name]) * (1 - eased) + Math.log(patch[name]) * eased);
      change(done < 1 ? Object.fromEntries(Object.keys(patch).map((name) => [name, between(name)])) : patch);
      if (done < 1) moving = requestAnimationFrame(frame);
    };
    moving = requestAnimationFrame(frame);
  }

  const stand = () => cancelAnimationFrame(moving);

  // ---------------------------------------------------------------- controls

  /* A slider of the browser's own, with its name and value above.  A logarithmic one moves the power of ten. */
  function slider({ label, spoken, limits, logarithmic, by, name, read, write }) {
    const [low, high] = logarithmic ? limits.map(Math.log10) : limits;
    const input = element("input", {
      type: "range", min: low, max: high, step: by, "aria-label": spoken,
      oninput: () => {
        stand();
        const x = Number(input.value);
        write(Math.min(Math.max(logarithmic ? 10 ** x : x, limits[0]), limits[1]));
      },
    });
    const value = shown(name);
    listeners.push(() => {
      const x = read();
      const at = String(logarithmic ? Math.log10(x) : x);
      // What the reader moves stays where it was put; the browser rounds to the slider's own steps.
      if (Math.abs(Number(input.value) - Number(at)) > by / 2) input.value = at;
      value.dataset.value = String(x);
      value.textContent = W.digits(x, 3);
      input.setAttribute("aria-valuetext", W.digits(x, 3));
      input.style.setProperty("--rs-filled", `${(100 * (Number(input.value) - low)) / (high - low)}%`);
    });
    return element("label", { class: "rs-slider" }, element("span", { class: "rs-name", html: label }), value, input);
  }

  function choice({ name, label, values, value, pick }) {
    const radios = values.map((v) => {
      const radio = element("input", { type: "radio", name, value: v, onchange: () => pick(v) });
      radio.checked = v === value;
      return element("label", {}, radio, element("span", {}, String(v)));
    });
    const group = element("fieldset", { class: "rs-choice" }, element("legend", { html: label }), ...radios);
    group.choose = (v) => { for (const radio of group.querySelectorAll("input")) radio.checked = Number(radio.value) === v; };
    return group;
  }

  const button = (label, act, attributes = {}) => element("button", { type: "button", html: label, onclick: act, ...attributes });

  /* A handle in a picture: dragged by pointer, moved by arrows (shift: ten times as far), Home and End. */
  function handle({ label, limits, by, read, write, mark, place, scale }) {
    const [low, high] = limits;
    const clamped = (x) => Math.min(Math.max(x, low), high);
    const move = (x) => { stand(); write(clamped(x)); };
    const keys = {
      ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10, Home: -Infinity, End: Infinity,
    };
    let grabbed = null;
    const group = element("svg:g", {
      class: `rs-handle ${mark.name}`, tabindex: 0, role: "slider", "aria-label": label, "aria-orientation": "horizontal",
      "aria-valuemin": low, "aria-valuemax": high,
      onkeydown: (event) => {
        if (!(event.key in keys) || event.altKey || event.ctrlKey || event.metaKey) return;
        event.preventDefault();
        const far = keys[event.key] * by * (event.shiftKey ? 10 : 1);
        move(Number.isFinite(far) ? Math.round((read() + far) / by) * by : far);
      },
      onpointerdown: (event) => {
        if (event.button !== 0) return;
        grabbed = event.clientX - scale().at(read());
        group.setPointerCapture(event.pointerId);
        group.classList.add("rs-grabbed");
      },
      onpointermove: (event) => { if (grabbed !== null) move(scale().value(event.clientX - grabbed)); },
      onpointerup: () => { grabbed = null; group.classList.remove("rs-grabbed"); },
      onpointercancel: () => { grabbed = null; group.classList.remove("rs-grabbed"); },
    }, element("svg:circle", { class: "rs-reach", r: 20 }), ...mark.parts);
    listeners.push(() => {
      group.setAttribute("aria-valuenow", Number(read().toFixed(6)));
      group.setAttribute("aria-valuetext", W.digits(read(), 3));
      const [x, y] = place();
      group.setAttribute("transform", `translate(${x.toFixed(2)} ${y.toFixed(2)})`);
    });
    return group;
  }

  // ---------------------------------------------------------------- curves

  /* Where to look at some laws between low and high: everywhere, and more often where they are narrow. */
  function abscissae(laws, low, high, n) {
    const xs = Array.from({ length: n + 1 }, (_, i) => low + ((high - low) * i) / n);
    for (const law of laws) {
      law.means.forEach((m, k) => {
        const sigma = Math.sqrt(law.variances[k]);
        if (sigma > (8 * (high - low)) / n) return;
        for (let z = -5; z <= 5; z += 0.2) xs.push(m + z * sigma);
      });
    }
    return xs.filter((x) => x >= low && x <= high).sort((a, b) => a - b);
  }

  const line = (points) => "M" + points.map(([x, y]) => `${Math.round(100 * x) / 100} ${Math.round(100 * y) / 100}`).join("L");

  function area(points, base) {
    return `${line(points)}L${points[points.length - 1][0].toFixed(2)} ${base}L${points[0][0].toFixed(2)} ${base}Z`;
  }

  /* A letter with its index, in a picture. */
  function letter(source, attributes) {
    const [head, index = ""] = source.split("_");
    return element("svg:text", { ...attributes, class: `rs-letter ${attributes.class ?? ""}` }, head,
      element("svg:tspan", { dy: "0.3em", "font-size": "0.72em" }, index.replace(/[{}]/g, "")));
  }

  const state = () => {
    last ??= step();
    return {
      inputs: structuredClone(inputs),
      data: { weights: [...last.data.weights], means: [...last.data.means], variances: [...last.data.variances] },
      numbers: { ...last.numbers },
    };
  };

  const set = (patch) => { stand(); change(patch); flush(); return window.reverseStep.state(); };

  window.reverseStep = { state, set };

  return {
    VIEW, LIMITS, START, inputs, listeners, still, element, shown, show, data, change, flush, lead, stand, slider, choice,
    button, handle, abscissae, line, area, letter,
  };
})();
