// How wide KaTeX's boxes are, in ems of the text that they stand in.
"use strict";

const katex = require("../static/katex/katex.min.js");
const { SymbolNode } = katex.__domTree;

const SIZES = [0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.2, 1.44, 1.728, 2.074, 2.488];
const ROOMLESS = ["accent-body", "llap", "rlap", "clap", "katex-thinbox", "pstrut", "vertical-separator", "katex-tag", "vlist-s"];
const PADDING = { "x-arrow-pad": 1, "cd-arrow-pad": 0.83334, boxpad: 0.6, "cancel-pad": 0.4, "cancel-lap": -0.4 };
const FONTS = ["mathnormal", "mathbf", "mathbb", "mathcal", "mathfrak", "mathtt", "mathscr", "mathsf", "mathit"].concat(
  ["textbf", "textit", "textsf", "texttt", "textrm"],
);
const WIDE = /[\u1100-\u115f\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]/;

// Where KaTeX's metrics are not what its fonts have.
const GLYPHS = { "∬large-op": 1.084, "∭large-op": 1.592, "∬small-op": 0.819, "∭small-op": 1.166 };

const em = (length) => (/^-?[\d.]+em$/.test(length ?? "") ? parseFloat(length) : 0);

// By how much a box changes the size of its text.
function scale(node) {
  const [from, to] = ["reset-size", "size"].map((word) => {
    const found = node.classes?.find((name) => name.startsWith(word) && /^\d+$/.test(name.slice(word.length)));
    return found ? SIZES[found.slice(word.length) - 1] : NaN;
  });
  return to / from || 1;
}

function firstSymbol(node) {
  if (node instanceof SymbolNode) return node;
  for (const child of node.children ?? []) {
    const found = firstSymbol(child);
    if (found) return found;
  }
}

const widths = new Map();

// KaTeX joins letters into one node and keeps the width of the first, so that each is asked for by itself.
function letter(character, classes) {
  if (WIDE.test(character)) return 1;
  const fonts = FONTS.filter((name) => classes.includes(name));
  const key = fonts.join(" ") + character;
  if (!widths.has(key)) {
    const body = /[#$%&_{}~^\\]/.test(character) ? `\\char"${character.codePointAt(0).toString(16)}` : character;
    const within = (outer) => outer.reduceRight((inner, font) => `\\${font}{${inner}}`, body);
    const ways = fonts.includes("mathnormal") ? [body] : [within(fonts.length ? fonts : ["mathrm"]), within(["text"])];
    widths.set(key, ways.reduce((found, latex) => found || alone(latex), 0) || 0.5);
  }
  return widths.get(key);
}

function alone(latex) {
  try {
    return firstSymbol(katex.__renderToHTMLTree(latex, { strict: "ignore", throwOnError: true }))?.width;
  } catch {
    return 0;
  }
}

function symbol(node) {
  const characters = [...node.text.normalize("NFC")];
  const glyph = GLYPHS[node.text + node.classes.find((name) => name.endsWith("e-op") || name.endsWith("l-op"))];
  if (glyph) return glyph + node.italic;
  const alike = new Set(characters).size === 1 && node.width && !WIDE.test(node.text);
  const each = (c) => (alike ? node.width : letter(c, node.classes));
  const text = characters.reduce((sum, c) => sum + each(c), 0);
  return text + node.italic;
}

const sum = (nodes) => nodes.reduce((total, node) => total + width(node), 0);

function width(node) {
  if (node.pathName || node.attributes?.viewBox) return 0; // drawings fill what is there
  const style = node.style ?? {};
  const margins = em(style.marginLeft) + em(style.marginRight) + em(style.paddingLeft);
  if (node instanceof SymbolNode) return (symbol(node) + margins) * scale(node);
  const classes = node.classes ?? [];
  if (classes.some((name) => ROOMLESS.includes(name)) && !classes.includes("accent-full")) return 0;
  if (classes.includes("nulldelimiter")) return 0.12 * scale(node);
  if (classes.includes("katex-root")) return sum(node.children) + 0.2777777778 - 0.5555555556;
  if (classes.includes("katex-rule")) return em(style.borderRightWidth) + margins;
  if (style.width) return em(style.width) + margins;
  const padding = classes.reduce((total, name) => total + (PADDING[name] ?? 0), 0);
  const stacked = classes.includes("vlist");
  const inside = stacked ? Math.max(0, ...node.children.map(width)) : sum(node.children ?? []);
  return (Math.max(inside, em(style.minWidth)) + padding) * scale(node) + margins;
}

module.exports = { em, scale, width };
