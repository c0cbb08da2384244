// Loads the verifier as a page does and answers each line of standard input, a
// JSON list of a function and its arguments, with a line of JSON.
// node verify.mjs wasm_exec.js verify.wasm
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { createRequire } from "node:module";

const [exec, wasm] = process.argv.slice(2);
createRequire(import.meta.url)(exec);
const go = new globalThis.Go();
const { instance } = await WebAssembly.instantiate(readFileSync(wasm), go.importObject);
go.run(instance);
for await (const line of createInterface({ input: process.stdin })) {
  const [name, ...args] = JSON.parse(line);
  console.log(globalThis.trialproof[name](...args));
}
process.exit(0);
