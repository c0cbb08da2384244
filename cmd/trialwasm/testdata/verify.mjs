// Loads the verifier as a page does and answers each line of standard input, a JSON list of an
// object, its function and arguments, with a line of JSON. An argument {"file": NAME} stands for
// the bytes of a file.
// node verify.mjs wasm_exec.js verify.wasm dossier.wasm
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { createRequire } from "node:module";

const [exec, ...modules] = process.argv.slice(2);
createRequire(import.meta.url)(exec);
for (const wasm of modules) {
  const go = new globalThis.Go();
  const { instance } = await WebAssembly.instantiate(readFileSync(wasm), go.importObject);
  go.run(instance);
}
for await (const line of createInterface({ input: process.stdin })) {
  const [object, name, ...args] = JSON.parse(line);
  console.log(globalThis[object][name](...args.map(a => a && a.file ? new Uint8Array(readFileSync(a.file)) : a)));
}
process.exit(0);
