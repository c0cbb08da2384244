"use strict";
// The verifier, which is the same code as the command line's, compiled to WebAssembly. On a page
// of a log it is fetched from there; in a page that was saved it is part of the page.
const verifier = (() => {
  const started = new Map();

  async function bytes(module) {
    const inside = document.getElementById("wasm-" + module);
    if (inside) {
      if (!window.DecompressionStream) throw new Error("this browser is too old to unpack the verifier that is in the page: use a newer one, or the program trial");
      const packed = Uint8Array.from(atob(inside.textContent.trim()), c => c.charCodeAt(0));
      return await new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
    }
    const answer = await fetch("web/" + module + ".wasm", { cache: "no-cache" });
    if (!answer.ok) throw new Error("this log was built without a part of the verifier (" + module + "), so your browser cannot check it");
    return await answer.arrayBuffer();
  }

  // start runs a module once. Its functions are then in the window's object of the same name.
  function start(module) {
    if (!started.has(module)) {
      started.set(module, (async () => {
        const go = new Go();
        const { instance } = await WebAssembly.instantiate(await bytes(module), go.importObject);
        go.run(instance); // until the page is closed
        return window[module === "verify" ? "trialproof" : module];
      })());
      started.get(module).catch(() => started.delete(module));
    }
    return started.get(module);
  }

  // value returns what a function of a module answers, or throws its failure.
  function value(text) {
    if (typeof text !== "string") return text; // an object with functions
    const answer = JSON.parse(text);
    if (answer.failure) throw Object.assign(new Error(answer.failure.error), answer.failure);
    return answer.value;
  }

  return { start, value };
})();

// make returns an element with a class, a text, and children. Whatever came with a file or from a
// log becomes text, never markup; what does not print is shown as an escape.
function make(tag, cls, ...children) {
  const e = document.createElement(tag);
  if (cls) e.className = cls;
  for (const c of children) if (c !== null && c !== undefined) e.append(typeof c === "string" ? printable(c) : c);
  return e;
}

function printable(s) {
  return s.replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu, c => c === "\n" || c === "\t" ? c : "\\u" + c.codePointAt(0).toString(16).padStart(4, "0"));
}

// page fetches a page of a history from the log that served this page.
async function page(kind, id, size, from) {
  const q = new URLSearchParams({ kind, id });
  if (size !== "0") q.set("size", size);
  if (from !== "0") q.set("from", from);
  const answer = await fetch("v1/history?" + q, { cache: "no-store" });
  if (answer.status === 410) throw new Error("gone");
  if (!answer.ok) throw new Error("the log answers " + answer.status);
  return await answer.text();
}

// underPolicy says under which policy something was checked, and up to which state of the log.
function underPolicy(whose, v) {
  return "Checked with " + whose + ", which needs these witnesses: " + v.quorum + ". This is the log as it stood with " + v.size + " entries" +
    (v.seenBy ? ", which witnesses saw by " + v.seenBy + ". What was logged after that is not here." : ". No witness says how old it is.");
}

// verdict shows what a check has found: ok, bad or warn.
function verdict(at, cls, state, ...lines) {
  at.className = "card verdict " + cls;
  at.dataset.state = cls;
  at.setAttribute("role", cls === "bad" ? "alert" : "status");
  at.replaceChildren(make("p", "state", ({ ok: "✓ ", bad: "✗ ", warn: "? " }[cls] || "") + state), ...lines.map(l => make("p", "", l)));
}
