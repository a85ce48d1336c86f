// A class name says what it sets, so that a stylesheet can be made from the names that stand on a page.
//
// A name is a row of capital letters, each with a number to base 36.  A letter is a property; its number is a length
// in 1/10000 em of the surrounding text; those of F, S, Q, A and Z count.  The most frequent names have an alias, and what is most frequent
// for a tag has no name at all.
"use strict";

const SIZES = [0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.2, 1.44, 1.728, 2.074, 2.488];

const MAIN = "font-family:KaTeX_Main;";
const FAMILIES = [
  MAIN + "font-style:normal",
  "font-family:KaTeX_Math;font-style:italic",
  "font-family:KaTeX_Caligraphic",
  "font-family:KaTeX_AMS",
  MAIN + "font-weight:700",
  MAIN + "font-style:italic",
  "font-family:KaTeX_Math;font-style:italic;font-weight:700",
  "font-family:KaTeX_Size1",
  "font-family:KaTeX_Size2",
  "font-family:KaTeX_Size3",
  "font-family:KaTeX_Size4",
  "font-family:KaTeX_SansSerif",
  "font-family:KaTeX_Typewriter",
  "font-family:KaTeX_Script",
  "font-family:KaTeX_Fraktur",
];
// The font that a class of KaTeX's stands for.
const FONTS = {
  mainrm: 0,
  mathrm: 0,
  textrm: 0,
  mathnormal: 1,
  mathcal: 2,
  amsrm: 3,
  mathbb: 3,
  textbb: 3,
  mathbf: 4,
  textbf: 4,
  mathit: 5,
  textit: 5,
  boldsymbol: 6,
  size1: 7,
  "small-op": 7,
  size2: 8,
  "large-op": 8,
  size3: 9,
  size4: 10,
  mathsf: 11,
  textsf: 11,
  mathtt: 12,
  texttt: 12,
  mathscr: 13,
  textscr: 13,
  mathfrak: 14,
  textfrak: 14,
};

// The radicals: name of the path, height, least width, room at the left.
const RADICALS = [
  ["sqrtMain", 1.08, 0.853, 0.833],
  ["sqrtSize1", 1.28, 1.02, 1],
  ["sqrtSize2", 1.88, 1.02, 1],
  ["sqrtSize3", 2.48, 1.02, 1],
  ["sqrtSize4", 3.08, 1.02, 1],
];
const RADICAL_SIZES = [1, 0.7, 0.5];

// The letters, as they follow one another in a name.
const LETTERS = {
  F: "font",
  S: "font size, from which to which",
  H: "height of a part that does not break, with its depth",
  D: "its depth",
  Q: "radical",
  T: "moved down",
  V: "row of a stack, moved down",
  Y: "its strut, if it needs one of its own",
  A: "alignment of this row",
  O: "takes no room, and stands so far to the right",
  B: "bar of a fraction, so far above the line",
  W: "its thickness",
  L: "margin at the left",
  R: "margin at the right",
  K: "another one at the left",
  P: "another one at the right",
  Z: "not felt by the line",
};
const WORDS = new RegExp(`^(?:[${Object.keys(LETTERS).join("")}]-?[0-9a-z]+)+$`);

const size = (from, to) => SIZES.length * from + to;
const ratio = (pair) => SIZES[pair % SIZES.length] / SIZES[Math.floor(pair / SIZES.length)];

const SCRIPT = size(5, 2);
// What an element has that has no class.
const PLAIN = {
  i: { F: 1 },
  s: { L: 2222, R: 2222 },
  u: { B: 2300, W: 400, L: 1200, R: 1200 },
  sub: { S: SCRIPT, T: 1500, R: 500 },
  sup: { S: SCRIPT, T: -3629, R: 500 },
};

function spell(set) {
  return Object.keys(LETTERS)
    .filter((letter) => set[letter] || (letter === "O" && letter in set))
    .map((letter) => letter + set[letter].toString(36))
    .join("");
}

const ALIASES = new Map(
  Object.entries({
    n: {},
    r: { L: 2778, R: 2778 },
    p: { R: 1667, P: 1667 },
  }).map(([alias, set]) => [spell(set), alias]),
);
const SPELLED = new Map([...ALIASES].map(([name, alias]) => [alias, name]));
const NAMELESS = Object.fromEntries(Object.entries(PLAIN).map(([tag, set]) => [tag, spell(set)]));

// The attribute of an element, with a blank before it.
function attribute(tag, set) {
  const name = spell(set);
  if (name === (NAMELESS[tag] ?? "")) return "";
  return " class=" + (ALIASES.get(name) ?? name);
}

function read(name) {
  const set = {};
  for (const [, letter, number] of name.matchAll(/([A-Z])(-?[0-9a-z]+)/g)) set[letter] = parseInt(number, 36);
  return set;
}

// The height of the struts in stacks and roots.  A whole number of pixels: letters of one line are then rounded alike.
const STRUT = "64px";

// The CSS of what a name sets.
function css(selector, set) {
  const scale = set.S ? ratio(set.S) : 1;
  const below = (length, strut) => `calc(${em(length)} - ${strut})`;
  const em = (length, factor = 1e4) => `${+(length / factor / scale).toFixed(6)}em`;
  const own = [];
  const rules = [];
  const has = (letter) => letter in set;
  if (has("F")) own.push(FAMILIES[set.F]);
  if (has("S")) own.push(`font-size:${+scale.toFixed(10)}em`);
  if (has("T") && !has("Q")) own.push(`position:relative;top:${em(set.T)}`);
  if (has("O")) own.push(`display:inline-block;left:${em(set.O)};line-height:0;position:relative;width:0`);
  if (has("V")) own.push(`top:${below(set.V, has("Y") ? em(set.Y) : STRUT)}`);
  if (has("A")) own.push(`text-align:${["center", "left", "right"][set.A]}`);
  if (has("L")) own.push(`margin-left:${em(set.L)}`);
  if (has("R")) own.push(`margin-right:${em(set.R)}`);
  if (has("K")) own.push(`padding-left:${em(set.K)}`);
  if (has("P")) own.push(`padding-right:${em(set.P)}`);
  if (has("Z")) own.push("line-height:0");
  if (has("Y")) rules.push(`${selector}::before{height:${em(set.Y)}}`);
  if (has("H")) {
    const [above, depth] = [set.H - (set.D ?? 0), set.D ?? 0];
    const exact = `height:${em(set.H)};height:calc(round(${em(above)},1px) + ${em(depth)})`;
    rules.push(`${selector}::before{content:"";display:inline-block;${exact};vertical-align:${em(-depth)}}`);
  }
  if (has("B")) {
    const line = `border-bottom:${em(set.W)} solid;bottom:${em(set.B)};content:"";left:0;position:absolute;right:0`;
    rules.push(`${selector}::after{${line}}`);
  }
  if (has("Q")) {
    const kind = (set.Q - 1) % RADICALS.length;
    const factor = RADICAL_SIZES[Math.floor((set.Q - 1) / RADICALS.length)];
    const [, height, least, room] = RADICALS[kind];
    own.push(`padding-left:${em(room, factor)}`);
    const box = `bottom:${below(-(set.T ?? 0), STRUT)};height:${em(height, factor)};min-width:${em(least, 1)}`;
    rules.push(`${selector}::after{${box};-webkit-mask-image:var(--q${kind});mask-image:var(--q${kind})}`);
  }
  if (own.length) rules.unshift(`${selector}{${own.join(";")}}`);
  return rules.join("\n");
}

// The rules of class names; a word that is no name of ours has none.
function rules(names) {
  const known = names.map((name) => [name, SPELLED.get(name) ?? name]).filter(([, spelled]) => WORDS.test(spelled));
  return known.map(([name, spelled]) => css(`.katex .${name}`, read(spelled)));
}

const plainRules = () => Object.entries(PLAIN).map(([tag, set]) => css(`.katex ${tag}:not([class])`, set));

module.exports = { FONTS, RADICALS, RADICAL_SIZES, attribute, size, rules, plainRules };
