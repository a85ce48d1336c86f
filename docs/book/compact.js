// KaTeX's tree as short HTML that lays out as KaTeX's own does.
//
// A formula is a row of parts.  A part is text in one font, a space, or an element; text of one font grows together,
// a space becomes the margin of its neighbour, and elements that set nothing are gone.  What KaTeX puts into a table of
// its own to move it up or down is moved here by `top`, which no line box feels:
//
//     <b>    a part of the formula that does not break, with KaTeX's strut; inside of it, anything with a class
//     <i>    letters in italics          <s>    an operator with its spaces
//     <sub>  <sup>  index and exponent   <q>    a root
//     <u>    a stack, e.g. a fraction: no height of its own, its rows are <b>
//
// What is not known here stays as KaTeX writes it, in <span class=w>.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const katex = require("../static/katex/katex.min.js");
const { FONTS, RADICALS, RADICAL_SIZES, attribute, size } = require("./names.js");
const { em, scale, width } = require("./widths.js");

const { Span, SymbolNode } = katex.__domTree;

const sheet = fs.readFileSync(path.join(__dirname, "../static/katex/katex.min.css"), "utf8");
const styled = new Set([...sheet.matchAll(/\.([A-Za-z][\w-]*)/g)].map(([, name]) => name));

const SIZING = /^(katex-sizing|(reset-)?size\d+)$/;

// Where this does not hold something has come that this file has no words for.
function expect(condition) {
  if (!condition) throw new Error("unknown");
}

const escape = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
const units = (length) => Math.round(length * 1e4);
const classes = (node) => (node.classes ?? []).filter((name) => styled.has(name));
const styles = (node) => Object.keys(node.style ?? {}).filter((key) => node.style[key] !== undefined);
const only = (node, ...keys) => styles(node).every((key) => keys.includes(key));

// ---------------------------------------------------------------- parts

const text = (string, set) => ({ text: string, set });
const space = (length) => ({ space: units(length) });
const element = (tag, set, inner, free = false) => ({ tag, set, inner, free });

// The parts of a node, or the node as it is.
function parts(node) {
  try {
    return known(node);
  } catch {
    return [{ tag: "span", asIs: node.toMarkup() }];
  }
}

const all = (nodes) => nodes.flatMap(parts);

function known(node) {
  if (node.style?.color === "transparent") return [space(width(node))]; // a phantom
  if (node instanceof SymbolNode) return [symbol(node)];
  expect(node instanceof Span || (node.children && !node.attributes)); // the latter: a fragment
  const names = classes(node);
  const kind = names.filter((name) => !SIZING.test(name)).join(" ");
  const sized = names.includes("katex-sizing") && scale(node) !== 1;
  if (KINDS[kind]) return KINDS[kind](node);
  expect(kind === "" && styles(node).length === 0 && Object.keys(node.attributes ?? {}).length === 0);
  return sized ? [element("b", { S: sizes(node) }, row(node.children))] : all(node.children);
}

function sizes(node) {
  const number = (word) => node.classes.find((name) => name.startsWith(word)).slice(word.length) - 1;
  return size(number("reset-size"), number("size"));
}

function symbol(node) {
  const names = classes(node).filter((name) => name !== "op-symbol" && !SIZING.test(name));
  expect(names.length < 2 && names.every((name) => name in FONTS) && only(node, "position", "top"));
  const times = scale(node);
  const resized = times === 1 ? {} : { S: sizes(node) };
  const moved = { R: units(node.italic * times), T: units(em(node.style.top) * times) };
  return text(node.text, { F: FONTS[names[0]] ?? 0, ...resized, ...moved });
}

const KINDS = {
  mspace(node) {
    expect(only(node, "marginRight"));
    return node.children.length ? all(node.children) : [space(em(node.style.marginRight))];
  },
  nulldelimiter: (node) => [space(0.12 * scale(node))],
  arraycolsep: (node) => [space(em(node.style.width))],
  delimsizing(node) {
    const [letter] = node.children;
    expect(node.children.length === 1 && letter instanceof SymbolNode && !letter.italic && only(letter));
    return [text(letter.text, { F: FONTS[node.classes.find((name) => name in FONTS)] })];
  },
  delimcenter(node) {
    const inside = all(node.children);
    expect(inside.length === 1 && inside[0].text && only(node, "top"));
    const resized = scale(node) === 1 ? {} : { S: sizes(node) };
    return [text(inside[0].text, { ...inside[0].set, ...resized, T: units(em(node.style.top) * scale(node)) })];
  },
  mfrac: (node) => [stack(node.children[0], {})],
  "katex-overline": (node) => [stack(node.children[0], {})],
  "katex-underline": (node) => [stack(node.children[0], {})],
  "op-limits": (node) => node.children.flatMap((child) => (isStack(child) ? [stack(child, {})] : parts(child))),
  msupsub: (node) => scripts(rows(node.children[0])),
  "katex-accent": (node) => accent(node),
  sqrt: (node) => [root(node)],
  mtable(node) {
    return node.children.flatMap((child) => {
      const side = classes(child).find((name) => name.startsWith("col-align-"));
      expect(side || child.classes[0] === "arraycolsep");
      return side ? [stack(child.children[0], { A: "clr".indexOf(side.at(-1)) })] : parts(child);
    });
  },
};

// ---------------------------------------------------------------- stacks

const isStack = (node) => node.classes?.includes("vlist-t");

// The rows of a stack: what, how far down, above which strut, and the margins.
function rows(node) {
  expect(isStack(node));
  return node.children[0].children[0].children.map((wrap) => {
    expect(wrap.children.length === 2 && wrap.children[0].classes[0] === "pstrut");
    expect(only(wrap, "top", "marginLeft", "marginRight") && classes(wrap).every((name) => name === "svg-align"));
    const [strut, content] = wrap.children;
    const resized = classes(content)[0] === "katex-sizing" && !styles(content).length;
    const line = classes(content).find((name) => name.endsWith("-line"));
    return {
      strut: em(strut.style.height),
      down: em(wrap.style.top) + em(strut.style.height),
      left: em(wrap.style.marginLeft),
      right: em(wrap.style.marginRight),
      sizes: resized && scale(content) !== 1 ? sizes(content) : 0,
      nodes: resized ? content.children : [content],
      content,
      width: width(wrap),
      bar: line ? em(content.style.borderBottomWidth) : 0,
    };
  });
}

// A stack has no height: its lower edge is the line that it stands on.
function stack(node, { A }) {
  const found = rows(node);
  const bars = found.filter((one) => one.bar);
  expect(bars.length < 2);
  const bar = bars.length ? { B: units(-bars[0].down), W: units(bars[0].bar) } : {};
  return element("u", bar, lines(found, A), true);
}

function lines(found, A) {
  return found
    .filter((one) => !one.bar)
    .map((one) => {
      const inner = row(one.nodes);
      const set = { S: one.sizes, V: units(one.down), A, L: units(one.left), R: units(one.right) };
      if (raw(inner)) set.Y = units(one.strut);
      return `<b${attribute("b", set)}>${inner}</b>`;
    })
    .join("");
}

// Index and exponent.  Where there are both, the narrower takes no room and the other stands over it.
function scripts(found) {
  const inner = found.map((one) => row(one.nodes));
  const close = found.length === 2 && Math.abs(found[0].width - found[1].width) < 1e-3;
  if (inner.some(raw) || close || found.length > 2) return [element("u", {}, lines(found, 1), true)];
  const narrowFirst = [...found.keys()].sort((a, b) => found[a].width - found[b].width);
  return narrowFirst.map((which, place) => {
    const one = found[which];
    const over = place < found.length - 1;
    const set = { S: one.sizes, T: units(one.down) };
    const room = over ? { O: units(one.left) } : { L: units(one.left), R: units(one.right) };
    return element(one.down > 0 ? "sub" : "sup", { ...set, ...room }, inner[which]);
  });
}

// The accent stands first and takes no room; its middle is that of the letter.
function accent(node) {
  const [body, mark, ...more] = rows(node.children[0]);
  expect(!more.length && body.down === 0 && mark.content.classes[0] === "accent-body" && only(mark.content, "left"));
  const [sign] = mark.content.children;
  expect(sign instanceof SymbolNode && !classes(sign).length && only(sign));
  const right = units(body.width / 2 + em(mark.content.style.left));
  const below = all(body.nodes).map((part) => (part.text ? text(part.text, { ...part.set, Z: 1 }) : part));
  return [element("b", { O: right, T: units(mark.down) }, escape(sign.text)), ...below];
}

// A root: what is under it, and the sign, which the stylesheet draws.
function root(node) {
  expect(node.children.length === 1);
  const [body, sign, ...more] = rows(node.children[0]);
  expect(!more.length && body.down === 0 && !body.sizes && only(body.content, "paddingLeft"));
  const drawing = sign.content.children[0].children[0].pathName;
  const near = (a, b) => Math.abs(a - b) < 2e-4;
  const [height, least, room] = [sign.content.style.height, sign.content.style.minWidth, body.content.style.paddingLeft];
  const kind = RADICALS.findIndex(([name]) => name === drawing);
  const factor = RADICAL_SIZES.findIndex((times) => {
    const [, tall, narrow, pad] = RADICALS[kind] ?? [];
    return near(em(height), tall / times) && near(em(least), narrow) && near(em(room), pad / times);
  });
  expect(factor >= 0);
  const inside = body.content instanceof SymbolNode ? [bare(body.content)] : body.content.children;
  expect(body.content instanceof SymbolNode || !classes(body.content).length);
  return element("q", { Q: 1 + kind + RADICALS.length * factor, T: units(sign.down) }, row(inside), true);
}

// A letter without the room that the root wants at its left.
const bare = (letter) => Object.assign(Object.create(SymbolNode.prototype), letter, { style: {} });

// ---------------------------------------------------------------- rows

const row = (nodes) => written(all(nodes));

// Parts as HTML.
function written(found) {
  const merged = [];
  for (const part of spaced(found)) {
    const last = merged.at(-1);
    if (last && grows(last, part)) {
      last.text += part.text;
      for (const letter of ["R", "P"]) last.set[letter] = part.set[letter];
    } else merged.push(part);
  }
  return merged.map(html).join("");
}

const touching = ({ set }, letters) => [...letters].every((letter) => !set[letter]);

function grows(last, part) {
  const same = [..."FSTZ"].every((letter) => (last.set?.[letter] ?? 0) === (part.set?.[letter] ?? 0));
  return last.text && part.text && same && touching(last, "RP") && touching(part, "LK");
}

// Every space as a margin of what stands beside it: of an operator, if there is one.
function spaced(found) {
  const copy = found.map((part) => (part.set ? { ...part, set: { ...part.set } } : part));
  const result = [];
  copy.forEach((part, place) => {
    if (part.space === undefined) return result.push(part);
    if (!part.space) return undefined;
    const [before, after] = [result.at(-1), copy[place + 1]];
    const takers = [
      [before, "R"],
      [after, "L"],
      [before, "P"],
      [after, "K"],
    ].filter(([side, letter]) => takes(side, letter) && (part.space > 0 || "LR".includes(letter)));
    const [taker, letter] = takers.find(([side]) => operator(side)) ?? takers[0] ?? [element("s", {}, ""), "R"];
    taker.set[letter] = part.space;
    if (taker !== before && taker !== after) result.push(taker);
    return undefined;
  });
  return result;
}

// A bar and the sign of a root span the padding, too, so that a stack or a root takes margins only.
const takes = (part, letter) => (part?.text || (part?.free && "LR".includes(letter))) && !part.set[letter];
const operator = (part) => part.text && !part.set.F && [...part.text].length === 1 && !/[\w.]/.test(part.text);

const raw = (written) => written.includes("<span class=w>");

function html({ text: string, tag, set, inner, asIs }) {
  if (asIs) return `<span class=w>${asIs}</span>`;
  if (string === undefined) return `<${tag}${attribute(tag, set)}>${inner}</${tag}>`;
  const letters = escape(string);
  const plain = attribute("i", set) === "" ? "i" : attribute("s", set) === "" ? "s" : "b";
  const name = attribute(plain, set);
  return plain === "b" && name === "" ? letters : `<${plain}${name}>${letters}</${plain}>`;
}

// ---------------------------------------------------------------- formulas

// Is a part of this height held by the line itself, or does it need a strut?
const low = (height, depth) => height - depth <= 0.85 && depth <= 0.25;

function base(node) {
  const [strut, ...content] = node.children;
  const [height, depth] = [em(strut.style.height), -em(strut.style.verticalAlign)];
  const inner = row(content);
  const set = inner && low(height, depth) ? {} : { H: units(height), D: units(depth) };
  return `<b${attribute("b", set)}>${inner}</b>`;
}

// A line breaks outside of brackets before it breaks inside: what a pair of them holds together is a box of its own,
// which wraps only when it is wider than the line.  Returned with the room that it takes at least: what follows in such
// a box is indented by an em.
function together(bases) {
  const depths = [];
  for (const node of bases) {
    const sign = (child) => (child.classes[0] === "mopen") - (child.classes[0] === "mclose");
    const brackets = (child) => sign(child) * (child.text?.length ?? 1); // KaTeX joins them: "))]"
    depths.push(node.children.reduce((depth, child) => depth + brackets(child), depths.at(-1) ?? 0));
  }
  const within = (start, end) => {
    const outermost = Math.min(...depths.slice(start, end - 1));
    const pieces = [];
    for (let i = start; i < end; i++) if (i === start || depths[i - 1] === outermost) pieces.push(i);
    return pieces.map((from, k) => piece(from, pieces[k + 1] ?? end));
  };
  const piece = (from, to) => {
    if (to - from === 1) return { html: base(bases[from]), room: width(bases[from]) };
    const found = within(from, to);
    const room = Math.max(...found.map((one, k) => one.room + (k > 0 ? 1 : 0)));
    return { html: `<b class=g>${joined(found)}</b>`, room };
  };
  return within(0, bases.length);
}

const joined = (pieces) => pieces.map((one) => one.html).join("");

const LARGE = 1.21; // the size of KaTeX's letters, in that of the text

// A formula: its HTML, its width, that of its widest part that does not break, and the room that it takes at least.
function compact(latex, display) {
  const options = { displayMode: display, output: "html", throwOnError: true, strict: "error", trust: true };
  const tree = katex.__renderToHTMLTree(latex, options);
  const whole = display ? tree.children[0] : tree;
  const inside = whole.children[0].children;
  const isBase = (node) => node.classes[0] === "katex-base";
  const isBreak = (node) => node.classes.includes("katex-newline") && !styles(node).length;
  if (!inside.every((node) => isBase(node) || isBreak(node))) {
    const all = LARGE * inside.reduce((sum, node) => sum + width(node), 0);
    return { html: `<span aria-hidden=true>${tree.toMarkup()}</span>`, em: all, unbreakable: all, room: all };
  }
  const rows = [[]];
  for (const node of inside) {
    if (isBreak(node)) rows.push([]);
    else rows.at(-1).push(node);
  }
  const widths = rows.map((bases) => bases.map(width));
  const pieces = rows.map(together);
  return {
    html: `<span class=katex aria-hidden=true>${pieces.map(joined).join("<br>")}</span>`,
    em: LARGE * Math.max(...widths.map((parts) => parts.reduce((sum, part) => sum + part, 0))),
    unbreakable: LARGE * Math.max(0, ...widths.flat()),
    room: LARGE * Math.max(0, ...pieces.flat().map((one) => one.room)),
  };
}

// The drawing of each radical, as an image for the stylesheet.
function radicals() {
  const drawn = new Map();
  const look = (node) => {
    const [line] = node.children ?? [];
    if (line?.pathName) drawn.set(line.pathName, node.toMarkup());
    else (node.children ?? []).forEach(look);
  };
  for (const height of [0, 0.9, 1.4, 2, 2.6]) {
    look(katex.__renderToHTMLTree(`\\sqrt{\\rule{0em}{${height}em}}`, { displayMode: true }));
  }
  return RADICALS.map(([name], kind) => {
    const image = drawn.get(name).replace(/ (width|height)="[^"]*"/g, "").replace(/\s+/g, " ").replaceAll('"', "'");
    return `--q${kind}:url("data:image/svg+xml,${image.replace(/[<>#]/g, encodeURIComponent)}")`;
  });
}

module.exports = { compact, radicals };
