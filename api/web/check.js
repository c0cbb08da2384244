"use strict";
// Files are digested here, piece by piece, and never leave this computer. A receipt is checked by
// the verifier; the page only shows what it answers.
(() => {
  const $ = id => document.getElementById(id);
  const small = 4 << 20; // what is longer is a document
  const given = { policy: null, published: null };
  const nothing = () => Object.assign(given, { policy: null, files: [], notes: [] });
  const of = kind => given.files.filter(f => f.kind === kind);
  nothing();
  const single = !!document.getElementById("wasm-verify");
  let tp = null, work = Promise.resolve(), turn = 0;

  // readAs says what a file is, by what is in it.
  function readAs(name, text) {
    if (text.startsWith("c2sp.org/tlog-proof@v1\n") || name.endsWith(".tlog-proof")) return "receipt";
    if (/^\s*(log|witness|group|quorum)\s/m.test(text) && /^quorum\s/m.test(text)) return "policy";
    if (/^\s*\{/.test(text)) {
      let j = null;
      try { j = JSON.parse(text); } catch {
        try { j = JSON.parse(text.split("\n", 1)[0]); } catch { return "document"; } // evidence has one on each line
      }
      if (j && typeof j.format === "string" && j.format.startsWith("trialproof-report/")) return "report";
      if (j && typeof j.checkpoint === "string" && j.map && j.state) return "history";
      if (j && Array.isArray(j.checkpoints) && typeof j.kind === "string") return "evidence";
      if (j && typeof j.receipt === "string" && typeof j.path === "string") return "part";
    }
    return "document";
  }

  // pieces returns functions that read the next piece of a file, and that end it. Where the browser
  // can, the same bytes of memory are read into again and again.
  function pieces(file) {
    let buffer = new ArrayBuffer(1 << 20), reader;
    try { reader = file.stream().getReader({ mode: "byob" }); } catch {
      return { next: async at => new Uint8Array(await file.slice(at, at + buffer.byteLength).arrayBuffer()), end() {} };
    }
    const next = async () => {
      const { value, done } = await reader.read(new Uint8Array(buffer));
      if (done) return null;
      buffer = value.buffer;
      return value;
    };
    return { next, end: () => reader.cancel().catch(() => {}) };
  }

  const shorter = "it has become shorter while it was read";

  // digest reads a file to its end.
  async function digest(file) {
    const bar = make("progress");
    bar.max = file.size || 1;
    bar.setAttribute("aria-label", "reading " + printable(file.name));
    const line = make("p", "", "Reading " + file.name + " ", bar);
    $("progress").append(line);
    const d = tp.digester(), from = pieces(file);
    try {
      for (let at = 0; at < file.size;) {
        const data = await from.next(at);
        if (!data || !data.length) throw new Error(shorter);
        verifier.value(d.write(data));
        at = bar.value = at + data.length;
        await new Promise(r => setTimeout(r)); // the page stays usable
      }
      return verifier.value(d.sum());
    } finally {
      from.end();
      line.remove();
    }
  }

  // digestOf returns the digest of bytes that are here.
  function digestOf(data) {
    const d = tp.digester(), piece = 1 << 20;
    for (let at = 0; at < data.length; at += piece) verifier.value(d.write(data.subarray(at, at + piece)));
    return verifier.value(d.sum());
  }

  // read says what a file is, with what is needed of it.
  async function read(file, receipts) {
    const whole = file.size <= small || file.size <= 256 << 20 && file.name.endsWith(".json");
    const text = whole ? new Uint8Array(await file.arrayBuffer()) : null; // its bytes, as they are
    if (whole && text.length !== file.size) throw new Error(shorter);
    let kind = whole ? readAs(file.name, new TextDecoder().decode(text)) : "document";
    // A document that could be read as a policy must not become what a verdict trusts.
    if (kind === "policy" && receipts.includes(file.name + ".tlog-proof")) kind = "document";
    return { name: file.name, kind, text: kind === "document" ? null : text, sha256: text ? digestOf(text) : await digest(file) };
  }

  // put keeps what was read, in place of what was given under the same name.
  function put(x) {
    const before = x.kind === "policy" ? given.policy : given.files.find(y => y.name === x.name);
    given.files = given.files.filter(y => y.name !== x.name);
    if (x.kind === "policy") given.policy = x;
    else given.files.push(x);
    if (!before || !before.sha256 || !x.sha256 || before.sha256 === x.sha256) return;
    given.notes.push(x.kind === "policy" ? `Two policies were given, ${before.name} and then ${x.name}. The verdicts trust ${x.name}, the last.` :
      `Two different files named ${x.name} were given. The verdict is about the last.`);
  }

  async function add(files, mine) {
    $("start-again").hidden = false;
    tp = await verifier.start("verify");
    const receipts = [...files, ...given.files].map(f => f.name).filter(name => name.endsWith(".tlog-proof"));
    for (const file of files) {
      const x = await read(file, receipts).catch(e => ({ name: file.name, kind: "unread", why: e.message }));
      if (mine !== turn) return; // the reader has started again meanwhile
      put(x);
    }
    await show();
  }

  const policy = () => given.policy || given.published;

  function showPolicy() {
    const at = $("policy");
    at.replaceChildren();
    const p = policy();
    if (!p) {
      at.append(make("p", "note", "No policy is given yet. A policy is the file that says which log and which witnesses you trust, and how many of them must agree. Add the one that you have from somebody you trust, not from whoever gave you the file."));
      return;
    }
    let about;
    try { about = verifier.value(tp.policy(p.text)); } catch (e) {
      at.append(make("p", "alarm", (given.policy ? given.policy.name : "the log's policy") + " is no policy: " + e.message));
      return;
    }
    if (!given.policy) at.append(make("p", "note", "Checked with the policy that this log publishes. Its operator chose it. Add the policy that you have from somebody you trust: then nobody needs to trust the operator."));
    at.append(make("p", "", (given.policy ? "Policy " + given.policy.name : "The log's own policy") + ": the log " + (about.origins || []).join(", ") + ", and these witnesses must agree: " + about.quorum + ". "), make("p", "digest", "SHA-256 " + about.digest));
    if (about.unwitnessed) at.append(make("p", "note", "This policy asks for no witness. What follows is the operator's word alone."));
  }

  // pairs says which files are checked with which receipt.
  function pairs() {
    const left = new Set(of("document")), list = [];
    for (const r of of("receipt")) {
      const own = of("document").filter(d => r.name === d.name + ".tlog-proof");
      own.forEach(d => left.delete(d));
      list.push({ receipt: r, files: own });
    }
    for (const p of list) {
      if (!p.files.length) for (const d of left) if (holds(p.receipt, [d])) { p.files.push(d); left.delete(d); }
    }
    const bare = list.filter(p => !p.files.length);
    if (bare.length === 1 && left.size === 1) { bare[0].files = [...left]; left.clear(); }
    return { list, left: [...left] };
  }

  function holds(receipt, files) {
    try { verifier.value(tp.verify(policy().text, receipt.text, JSON.stringify(files))); return true; } catch { return false; }
  }

  async function show() {
    const out = $("verdicts"), mine = turn;
    out.replaceChildren();
    showPolicy();
    if (!policy()) {
      const got = given.files.map(x => x.name);
      if (got.length) out.append(make("section", "card verdict", make("p", "state", "Nothing is checked yet: a policy is missing"), make("p", "", "Received: " + got.join(", ") + "."), make("p", "", "Add the policy too. It is a small text file that says which log and which witnesses you trust. Without it this page cannot know whom to believe.")));
      return;
    }
    for (const n of given.notes) out.append(make("p", "alarm", n));
    for (const f of of("unread")) {
      out.append(card("warn", "Cannot be checked", f.name + " could not be read.", make("p", "", "It may be a folder, or it was changed or removed while it was read. Add it again as a file. Your browser says: " + f.why)));
    }
    const { list, left } = pairs();
    for (const p of list) out.append(judge(p));
    for (const d of left) {
      out.append(card("warn", "Cannot be checked", "There is no receipt for " + d.name + ".", make("p", "", "Add its receipt, " + d.name + ".tlog-proof, which was written when the file was submitted."), make("p", "digest", "SHA-256 " + d.sha256)));
    }
    for (const p of given.files.filter(f => ["history", "report", "evidence", "part"].includes(f.kind))) {
      const c = await judgeProof(p);
      if (mine !== turn) return;
      out.append(c);
    }
    if (!out.children.length) out.append(make("p", "small", "Add a file and its receipt."));
    $("print").hidden = !out.querySelector(".verdict");
    if (out.getBoundingClientRect().top > innerHeight / 2) out.scrollIntoView();
  }

  function card(cls, state, says, ...more) {
    const mark = { ok: "✓ ", bad: "✗ ", warn: "? " }[cls];
    const c = make("section", "card verdict " + cls, make("p", "state", mark + state), make("p", "says", says), ...more);
    c.dataset.verdict = { ok: "valid", bad: "invalid", warn: "cannot be checked" }[cls];
    return c;
  }

  function facts(plain) {
    const dl = make("dl", "facts");
    for (const f of plain.facts) {
      const dd = make("dd", "", make("div", "", f.text));
      for (const line of f.more || []) dd.append(make("div", "", line));
      if (f.small) dd.append(make("div", "digest", f.small));
      dl.append(make("dt", "", f.name), dd);
    }
    return dl;
  }

  function notProven(list) {
    const ul = make("ul", "");
    for (const x of list) ul.append(make("li", "", x));
    return make("div", "", make("h3", "", "What this does not prove"), ul);
  }

  function failed(e, what) {
    const cls = e.verdict === "invalid" ? "bad" : "warn";
    const says = cls === "bad" ? (e.part === "file" ? what + " is not what was logged." : "The evidence for " + what + " is not what the policy accepts.") : what + " cannot be checked.";
    const c = card(cls, cls === "bad" ? "Not valid" : "Cannot be checked", says, ...(meaning(e) ? [make("p", "", meaning(e)), make("p", "small", e.message)] : [make("p", "", e.message)]));
    if (e.part) c.dataset.part = e.part;
    return c;
  }

  // meaning says what a person can make of a failure.
  function meaning(e) {
    if (e.verdict !== "invalid") return "";
    if (e.part === "file") return "The file was changed after it was logged, or it is another version, or the receipt belongs to another file. One changed letter is enough.";
    if (e.part === "checkpoint") return "The receipt comes from another log than the one in the policy, or its signature is wrong. Is this the right policy?";
    if (e.part === "quorum") return "Fewer witnesses have seen it than the policy needs.";
    return "The evidence was changed, or it belongs to something else. Ask whoever gave it to you for the original.";
  }

  function judge({ receipt, files }) {
    const what = files.length ? files.map(f => f.name).join(", ") : "the receipt " + receipt.name;
    let v;
    try { v = verifier.value(tp.verify(policy().text, receipt.text, JSON.stringify(files))); } catch (e) { return failed(e, what); }
    const cls = files.length ? "ok" : "warn";
    const c = card(cls, files.length ? "Valid" : "The receipt is valid; no file was compared", v.plain.says);
    for (const w of v.plain.warnings || []) c.append(make("p", "alarm", w));
    c.append(facts(v.plain), ask(v.summary), notProven(v.plain.notProven));
    const all = make("details", "", make("summary", "", "All details, for programs"), make("pre", "", JSON.stringify(v.summary, null, 2)));
    c.append(all);
    c.dataset.verdict = "valid";
    c.dataset.summary = JSON.stringify(v.summary);
    return c;
  }

  // ask offers to ask the log what became of a statement. Nothing is asked before the button is
  // pressed.
  function ask(summary) {
    const at = make("p", "");
    const id = summary.kind === "registration" ? summary.id : summary.predicate.trial;
    if (single || !id || !given.published || given.published.origin !== summary.origin) return at;
    const b = make("button", "", "Ask the log what became of it since");
    b.type = "button";
    at.append(b, make("span", "small", " This tells the log which trial you look at."));
    b.addEventListener("click", async () => {
      b.disabled = true;
      try {
        const s = await since(id, summary.id);
        if (!s) throw new Error("the trial's history does not have this statement");
        at.replaceChildren(make("strong", "", s.stands ? "Nothing that was logged since replaces it" : "It does not stand as it is"),
          ` (${s.replayed ? "proven" : "complete as the operator states"} up to the log's size ${s.size}, ${s.seenBy ? "which witnesses saw by " + s.seenBy : "no independent time"}).`);
        for (const line of s.says) at.append(make("br"), printable(line));
      } catch (e) {
        at.replaceChildren(make("span", "alarm", (e.verdict === "invalid" ? "What the log answers does not hold: " : "It is not known what became of it: ") + e.message));
      }
    });
    return at;
  }

  async function since(id, statement) {
    const page = async q => { const r = await fetch("v1/history?kind=trial&id=" + id + q, { cache: "no-store" }); if (!r.ok) throw new Error("the log answers " + r.status); return await r.text(); };
    const reader = verifier.value(tp.reader(policy().text, await page("")));
    for (let m; (m = verifier.value(reader.more())).more;) {
      if (!verifier.value(reader.add(await page(`&size=${m.size}&from=${m.from}`)))) break; // the verdict says that some are withheld
    }
    return verifier.value(reader.since(statement));
  }

  async function judgeProof(p) {
    try {
      if (p.kind === "history") {
        const h = verifier.value(tp.history(policy().text, p.text));
        const list = make("ol", "entries");
        for (const e of h.entries) list.append(make("li", e.void ? "void" : "", make("span", "when", e.time, make("br"), "entry " + e.index), make("div", "what", e.says, make("div", "small", e.by + ", " + e.meaning), ...(e.marks || []).map(m => make("span", "mark", m)))));
        return card(h.replayed ? "ok" : "warn", h.replayed ? "Valid" : "Valid, complete as the operator states", h.says, make("p", "", h.complete), make("p", "small", h.seenBy ? "Witnesses saw this tree by " + h.seenBy + "." : "No independent time."), list);
      }
      const dossier = await verifier.start("dossier");
      if (p.kind === "part") {
        const v = verifier.value(dossier.part(policy().text, p.text));
        return card("ok", "Valid", v.absent ? "The document has no " + v.path + "." : "This stands as " + v.path + " in what was logged:", make("blockquote", "", v.text || ""), ...(v.plain.warnings || []).map(w => make("p", "alarm", w)), facts(v.plain), notProven(["that this is what the document says: that is its signer's word until the document itself is shown", ...v.plain.notProven]));
      }
      if (p.kind === "evidence") {
        const list = verifier.value(dossier.evidence(policy().text, p.text));
        return card("bad", "Proven: the log misbehaved", list.map(v => v.text).join("; ") + ".", ...list.flatMap(v => (v.witnesses || []).map(w => make("p", "", "The witness " + w + ", which says that it replays the rules, cosigned that tree."))));
      }
      const v = verifier.value(dossier.report(policy().text, p.text));
      const c = card(v.replayed && !v.lacking ? "ok" : "warn", v.lacking ? "Valid in part" : v.replayed ? "Valid" : "Valid, complete as the operator states", v.says);
      for (const line of v.lines) c.append(make("p", "", line));
      return c;
    } catch (e) { return failed(e, p.name); }
  }

  const busy = files => { const list = [...files], mine = turn; work = work.then(() => add(list, mine)).catch(e => $("verdicts").replaceChildren(make("p", "alarm", e.message))); };
  $("files").addEventListener("change", e => { busy(e.target.files); e.target.value = ""; });
  for (const type of ["dragover", "drop", "dragleave"]) {
    document.addEventListener(type, e => {
      e.preventDefault();
      $("drop").classList.toggle("over", type === "dragover");
      if (type === "drop") busy(e.dataTransfer.files);
    });
  }
  $("print").addEventListener("click", () => window.print());
  $("start-again").addEventListener("click", () => {
    turn++;
    work = Promise.resolve(); // what is being read may never come to its end
    $("progress").replaceChildren();
    nothing();
    $("verdicts").replaceChildren();
    $("start-again").hidden = $("print").hidden = true;
    showPolicy();
  });
  (async () => {
    try {
      tp = await verifier.start("verify");
      if (!single) {
        const log = await (await fetch("v1/log", { cache: "no-store" })).json();
        given.published = { text: log.policy, origin: log.origin };
        verifier.start("dossier").catch(() => {}); // from here on no network is needed
      }
      if ($("start-again").hidden) showPolicy();
      else work = work.then(show); // files were given before the policy was here
      document.body.dataset.ready = "true";
    } catch (e) { $("verdicts").replaceChildren(make("p", "alarm", "This page cannot verify: " + e.message)); }
  })();
})();
