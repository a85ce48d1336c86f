// LaTeX to HTML, one request a line: {"latex": ..., "display": ...} in, {"html": ...} or {"error": ...} out.
"use strict";

const readline = require("node:readline");
const katex = require("../static/katex/katex.min.js");

function answer({ latex, display }) {
  const options = { displayMode: display, output: "html", throwOnError: true, strict: "error" };
  try {
    return { html: katex.renderToString(latex, options), em: 0, unbreakable: 0 };
  } catch (error) {
    return { error: error.message };
  }
}

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  process.stdout.write(JSON.stringify(answer(JSON.parse(line))) + "\n");
});
