#!/usr/bin/env node
// Runs the program of this machine's package, which npm chose by `os`, `cpu` and `libc`.
"use strict";

const { spawnSync } = require("node:child_process");

const name = `${process.platform}-${process.arch}`;
const suffix = process.platform === "win32" ? ".exe" : "";
const candidates = process.platform === "linux" ? [`${name}-gnu`, `${name}-musl`] : [name];

let program;
for (const candidate of candidates) {
  try {
    program = require.resolve(`@sessionlint/${candidate}/bin/sessionlint${suffix}`);
    break;
  } catch {
    // Not the package of this machine.
  }
}
if (program === undefined) {
  console.error(`sessionlint: no package of npm carries the program for ${name}.`);
  console.error("Was it installed with --no-optional? `cargo install sessionlint` builds it from source.");
  process.exit(2);
}
const result = spawnSync(program, process.argv.slice(2), { stdio: "inherit" });
if (result.error) {
  console.error(`sessionlint: ${program}: ${result.error.message}`);
  process.exit(2);
}
if (result.signal) {
  process.kill(process.pid, result.signal);
}
process.exit(result.status ?? 2);
