// LaTeX to HTML.  One request a line on stdin, one answer a line on stdout:
//   {"latex": ..., "display": ...}  {"html": ..., "em": ..., "unbreakable": ..., "room": ...} or {"error": ...}
//   {"names": [...]}                {"css": ...}, for class names that occur in that HTML
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const readline = require("node:readline");
const { compact, radicals } = require("./compact.js");
const { plainRules, rules } = require("./names.js");

function stylesheet(names) {
  const fixed = fs.readFileSync(path.join(__dirname, "formulas.css"), "utf8");
  return [fixed.trim(), `.katex{${radicals().join(";")}}`, ...plainRules(), ...rules(names)].join("\n") + "\n";
}

function answer({ latex, display, names }) {
  if (names) return { css: stylesheet(names) };
  try {
    return compact(latex, display);
  } catch (error) {
    return { error: error.message };
  }
}

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  process.stdout.write(JSON.stringify(answer(JSON.parse(line))) + "\n");
});
