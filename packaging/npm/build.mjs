// Makes the npm packages: one for each machine with the program in it, and `sessionlint`, which depends on all of them
// and runs the one that npm installed.
//
//   node packaging/npm/build.mjs OUT TARGET=PROGRAM [TARGET=PROGRAM ..]
//
// TARGET is a Rust target triple, PROGRAM the file that was built for it. Version and texts come from Cargo.toml.
import { chmodSync, copyFileSync, cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..");

// npm's words for a machine: https://docs.npmjs.com/cli/configuring-npm/package-json#os
const machines = {
  "x86_64-unknown-linux-gnu": { name: "linux-x64-gnu", os: "linux", cpu: "x64", libc: "glibc" },
  "aarch64-unknown-linux-gnu": { name: "linux-arm64-gnu", os: "linux", cpu: "arm64", libc: "glibc" },
  "x86_64-unknown-linux-musl": { name: "linux-x64-musl", os: "linux", cpu: "x64", libc: "musl" },
  "aarch64-unknown-linux-musl": { name: "linux-arm64-musl", os: "linux", cpu: "arm64", libc: "musl" },
  "x86_64-apple-darwin": { name: "darwin-x64", os: "darwin", cpu: "x64" },
  "aarch64-apple-darwin": { name: "darwin-arm64", os: "darwin", cpu: "arm64" },
  "x86_64-pc-windows-msvc": { name: "win32-x64", os: "win32", cpu: "x64" },
  "aarch64-pc-windows-msvc": { name: "win32-arm64", os: "win32", cpu: "arm64" },
};

const [out, ...programs] = process.argv.slice(2);
if (out === undefined || programs.length === 0) {
  console.error("usage: build.mjs OUT TARGET=PROGRAM [TARGET=PROGRAM ..]");
  process.exit(2);
}
const manifest = readFileSync(join(root, "Cargo.toml"), "utf8");
const value = (key) => {
  const found = manifest.match(new RegExp(`^${key} = "([^"]*)"`, "m"));
  if (found === null) {
    throw new Error(`Cargo.toml says no ${key}`);
  }
  return found[1];
};
const common = { version: value("version"), description: value("description"), license: value("license") };

const write = (directory, content) => {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "package.json"), `${JSON.stringify(content, null, 2)}\n`);
  for (const license of ["LICENSE-MIT", "LICENSE-APACHE"]) {
    copyFileSync(join(root, license), join(directory, license));
  }
};

const optionalDependencies = {};
for (const program of programs) {
  const at = program.indexOf("=");
  const machine = machines[program.slice(0, at)];
  if (machine === undefined) {
    console.error(`${program}: TARGET=PROGRAM is asked for; targets: ${Object.keys(machines).join(", ")}`);
    process.exit(2);
  }
  const name = `@sessionlint/${machine.name}`;
  const directory = join(out, machine.name);
  const file = machine.os === "win32" ? "sessionlint.exe" : "sessionlint";
  write(directory, {
    name,
    ...common,
    os: [machine.os],
    cpu: [machine.cpu],
    ...(machine.libc && { libc: [machine.libc] }),
    files: ["bin", "LICENSE-MIT", "LICENSE-APACHE"],
    preferUnplugged: true,
  });
  mkdirSync(join(directory, "bin"), { recursive: true });
  copyFileSync(program.slice(at + 1), join(directory, "bin", file));
  chmodSync(join(directory, "bin", file), 0o755);
  optionalDependencies[name] = common.version;
}

const directory = join(out, "sessionlint");
cpSync(join(here, "sessionlint"), directory, { recursive: true });
copyFileSync(join(root, "README.md"), join(directory, "README.md"));
write(directory, {
  name: "sessionlint",
  ...common,
  bin: { sessionlint: "bin/sessionlint.js" },
  files: ["bin", "LICENSE-MIT", "LICENSE-APACHE"],
  engines: { node: ">=18" },
  optionalDependencies,
});
