"use strict";
// What is on the slip is in the address behind the #, which no browser sends. Only when the
// button is pressed does this page send a code, and to the relays of the slip alone.
const words = JSON.parse(document.getElementById("words").textContent);
const $ = id => document.getElementById(id);
const text = new TextEncoder();
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
let language = "en", slip = null, open = new Set(), seen = null, busy = new Set(), notes = new Map();

function say(name, values = {}) {
  let s = words[language][name] || words.en[name] || "";
  return s.replace(/\{([A-Z]+)\}/g, (whole, key) => key in values ? values[key] : whole);
}

function fromBase64(s) {
  const b = atob(s.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(b, c => c.charCodeAt(0));
}
const utf8 = bytes => new TextDecoder("utf-8", { fatal: true }).decode(bytes);
const hex = bytes => Array.from(bytes, b => b.toString(16).padStart(2, "0")).join("");

function readSlip(fragment) {
  const f = fragment.replace(/^#/, "").split(".");
  if (f.length !== 6 || f[0] !== "1" || !/^[0-9A-HJKMNP-TV-Z]{32}$/.test(f[3])) return null;
  try {
    const handles = f[4].split(",").map(h => fromBase64(h));
    if (handles.some(h => h.length !== 32) || handles.length > 20) return null;
    return { language: f[1], master: f[3], handles: handles.map(hex), relays: f[5] ? f[5].split(",").map(r => utf8(fromBase64(r))) : [] };
  } catch { return null; }
}

// spell gives n characters of 5 bits each.
function spell(bytes, n) {
  let s = "";
  for (let i = 0; i < n; i++) {
    let v = 0;
    for (let bit = 5 * i; bit < 5 * i + 5; bit++) v = v << 1 | bytes[bit >> 3] >> (7 - bit % 8) & 1;
    s += alphabet[v];
  }
  return s;
}

// codeOf derives the code of the consent with a number from the secret of the slip.
async function codeOf(number) {
  const key = await crypto.subtle.importKey("raw", text.encode(slip.master), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, text.encode("trialproof/consent-code/v1\n" + number)));
  const code = spell(mac, 28);
  const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", text.encode("trialproof/code-check/v1\n" + code)));
  return code + spell(sum, 4);
}

async function ask(path) {
  const r = await fetch(path, { cache: "no-store", referrerPolicy: "no-referrer" });
  const body = await r.text();
  if (!r.ok) throw new Error(JSON.parse(body).message || r.status);
  return body;
}

// The lists are checked in this browser, by the same code as the program trial. Where it cannot run,
// the page says that it shows the operator's word.
let checker = null, policy = "";
const checking = (async () => {
  try {
    const tp = await verifier.start("verify");
    policy = JSON.parse(await ask("v1/log")).policy;
    checker = tp;
  } catch { /* the page says whose word it shows */ }
})();

class Lie extends Error {}

// history returns the record and the statements of one record, and how far that was checked. With
// brief it returns the record alone.
async function history(kind, id, brief = false) {
  await checking;
  const query = "v1/history?kind=" + kind + "&id=" + id;
  const text = await ask(query), first = JSON.parse(text);
  const checked = f => { try { return f(); } catch (e) { throw e.verdict === "invalid" ? new Lie(e.message) : e; } };
  const reader = checker ? checked(() => verifier.value(checker.reader(policy, text))) : null;
  if (first.kind !== kind || first.id !== id) throw new Lie("another history");
  if (!first.record) throw new Error("nothing is logged");
  const record = JSON.parse(first.record), entries = first.entries || [];
  if (brief) return { record };
  const size = JSON.parse(first.state.entry).size + 1;
  while (entries.length < record.entries.count) {
    const text = await ask(query + "&size=" + size + "&from=" + (entries.length ? BigInt(entries[entries.length - 1].index) + 1n : 0n));
    const next = JSON.parse(text).entries || [];
    if (reader) checked(() => verifier.value(reader.add(text)));
    if (!next.length) break; // the check says that some are withheld
    entries.push(...next);
  }
  const verdict = reader ? checked(() => verifier.value(reader.verdict())) : null;
  if (!reader && entries.length < record.entries.count) throw new Lie("entries are missing");
  const list = entries.map(e => {
    const entry = JSON.parse(e.entry);
    return { time: entry.time, org: entry.signer.org, says: JSON.parse(utf8(fromBase64(entry.envelope.payload))).predicate };
  });
  return { record, list, verdict };
}

const useWords = { "DUO:0000042": "use_gru", "DUO:0000006": "use_hmb", "DUO:0000007": "use_ds", "DUO:0000004": "use_nres" };
const useText = code => code.split("/")[0] in useWords ? say(useWords[code.split("/")[0]]) : say("use_other", { CODE: code });

// nameOf returns the name of an organisation, or its id where it cannot be looked up.
const names = new Map();
async function nameOf(org) {
  if (!names.has(org)) {
    try { names.set(org, (await history("org", org, true)).record.name); } catch (e) { if (e instanceof Lie) throw e; return org; }
  }
  return names.get(org);
}

async function look(handle) {
  const { record, list, verdict } = await history("consent", handle);
  const c = { handle, record, verdict, accesses: [], erased: [] };
  const told = new Set(); // a release that an agent repeated is one access, if all in it is the same
  for (const org of [record.org, record.to, ...record.agents, ...list.map(e => e.org)]) await nameOf(org);
  for (const e of list) {
    const p = e.says;
    if (p.action === "grant") c.given = e;
    else if (p.action === "end" && !c.ended) c.ended = e;
    else if (p.ground) c.erased.push(e);
    else for (const x of p.consents || []) {
      const same = [p.action, p.reason, e.org, x.package, p.recipient, p.request].join(" ");
      if (x.consent !== handle || told.has(same)) continue;
      told.add(same);
      const a = { time: e.time, org: e.org, to: record.to, emergency: p.action === "emergency" ? p.reason : "" };
      if (a.emergency) a.to = (await history("recipient", p.recipient, true)).record.org;
      await nameOf(a.to);
      if (p.request) a.use = (await history("request", p.request)).list[0].says.use;
      c.accesses.push(a);
    }
  }
  return c;
}

const named = org => names.get(org) || org;
const month = until => {
  const [y, m] = until.split("-").map(Number);
  return m ? new Date(Date.UTC(y, m - 1, 15)).toLocaleDateString(language, { year: "numeric", month: "long", timeZone: "UTC" }) : String(y);
};
const when = t => new Date(t).toLocaleString(language, { dateStyle: "long", timeStyle: "short" });
function add(parent, tag, content, attributes = {}) {
  const e = document.createElement(tag);
  if (content !== undefined) e.textContent = content;
  for (const [k, v] of Object.entries(attributes)) k in e ? e[k] = v : e.setAttribute(k, v);
  parent.append(e);
  return e;
}

function over(record) {
  if (!record.until) return false;
  const [y, m] = record.until.split("-").map(Number);
  return Date.now() >= Date.UTC(m ? y : y + 1, m || 0, 1);
}

let shown = [];
const old = 2 * 60 * 60 * 1000; // an idle log's newest tree is seen again every hour

// word says how far what is shown was checked.
function word() {
  const times = shown.map(c => c.verdict && c.verdict.replayed && c.verdict.seenAt);
  if (!shown.length || !times.every(t => t)) return say("page_word");
  const seenAt = Math.min(...times.map(t => Date.parse(t)));
  return say(Date.now() - seenAt > old ? "page_old" : "page_checked", { TIME: when(seenAt) });
}

function draw() {
  document.documentElement.lang = language;
  document.title = $("title").textContent = say("page_title");
  $("word").textContent = slip ? word() : "";
  const main = $("consents");
  main.replaceChildren();
  if (!slip) { add(main, "p", say("page_no_slip")); return; }
  shown.forEach((c, i) => {
    const s = add(main, "section");
    if (c.failed) { add(s, "p", c.lie ? say("page_lies") : say("page_failed", { WHY: c.failed }), { className: "bad", role: "alert" }); return; }
    const r = c.record;
    add(s, "h2", say("page_consent", { TO: named(r.to) }));
    add(s, "p", say("page_given", { TIME: when(c.given.time), ORG: named(r.org), AGENTS: r.agents.map(named).join(" + ") }) + (r.until && !c.ended ? " " + say("page_until", { UNTIL: month(r.until) }) : ""));
    if (!c.accesses.length) add(s, "p", say("page_none"));
    const list = c.accesses.length ? add(s, "ul") : null;
    for (const a of c.accesses) {
      let line = say("page_access", { TIME: when(a.time), ORG: named(a.org), TO: named(a.to) });
      if (a.use) line += " " + say("page_use", { USE: a.use.map(useText).join(", ") });
      if (a.emergency) line += " " + say("page_emergency", { REASON: say("reason_" + a.emergency) });
      add(list, "li", line);
    }
    if (c.ended) add(s, "p", say(c.ended.says.code ? "page_ended" : "page_ended_by", { TIME: when(c.ended.time) }), { className: "state" });
    else if (over(r)) add(s, "p", say("page_over", { UNTIL: month(r.until) }), { className: "state" });
    else add(s, "p", say("page_stands"), { className: "state" });
    if (r.erase) add(s, "p", say("page_erase_asked"));
    for (const e of c.erased) add(s, "p", say("page_erased", { TIME: when(e.time), ORG: named(e.org) }));
    for (const note of notes.get(c.handle) || []) add(s, "p", note, { className: "bad" });
    if (c.ended) return;
    if (busy.has(c.handle)) { add(s, "p", say("page_stopping"), { role: "status" }); return; }
    if (!crypto.subtle) { add(s, "p", say("page_insecure", { ORG: named(r.org) })); return; }
    if (!open.has(c.handle)) {
      add(s, "button", say("page_stop"), { className: "stop", type: "button", onclick: () => { open.add(c.handle); draw(); } });
      return;
    }
    add(s, "p", say("page_sure", { TO: named(r.to) }));
    const label = add(s, "label");
    const erase = add(label, "input", undefined, { type: "checkbox" });
    label.append(" " + say("page_erase"));
    add(s, "button", say("page_yes"), { className: "stop", type: "button", onclick: () => stop(c, i + 1, erase.checked) });
    add(s, "button", say("page_no"), { type: "button", onclick: () => { open.delete(c.handle); draw(); } });
  });
}

const pause = ms => new Promise(done => setTimeout(done, ms));

// stop asks one relay after the other, until the consent's history shows that it ended.
async function stop(c, number, erase) {
  busy.add(c.handle); notes.set(c.handle, []); draw();
  const body = JSON.stringify({ code: await codeOf(number), consent: c.handle, erase });
  let done = false;
  for (const relay of slip.relays) {
    try {
      await fetch(new URL("relay/end", relay.replace(/\/*$/, "/")), { method: "POST", headers: { "Content-Type": "application/json" }, body, referrerPolicy: "no-referrer" });
    } catch { /* its history says whether it ended */ }
    for (let tries = 0; tries < 20 && !done; tries++) {
      try { done = !!(await look(c.handle)).ended; } catch { /* tried again */ }
      if (!done) await pause(500);
    }
    if (done) break;
    notes.get(c.handle).push(say("page_dropped", { RELAY: new URL(relay).host }));
    draw();
  }
  if (!done) notes.get(c.handle).push(say("page_not_stopped", { ORG: named(c.record.org) }));
  else notes.delete(c.handle);
  busy.delete(c.handle); open.delete(c.handle);
  await refresh();
}

async function refresh() {
  if (!slip) { draw(); return; }
  shown = await Promise.all(slip.handles.map(async handle => {
    try { return await look(handle); } catch (e) { return { handle, failed: e.message, lie: e instanceof Lie }; }
  }));
  const now = shown.reduce((n, c) => n + (c.accesses ? c.accesses.length : 0), 0);
  if (seen !== null && now > seen) { $("new").textContent = say("page_new"); $("new").hidden = false; }
  if (shown.every(c => !c.failed)) seen = Math.max(seen || 0, now);
  $("looked").textContent = say("page_looked", { TIME: new Date().toLocaleTimeString(language) });
  draw();
}

for (const l of Object.keys(words)) add($("languages"), "button", words[l].language, { type: "button", lang: l, onclick: () => { language = l; refresh(); } });
function start() {
  slip = readSlip(location.hash);
  if (slip && words[slip.language]) language = slip.language;
  draw();
  refresh();
}
addEventListener("hashchange", () => { seen = null; start(); });
start();
setInterval(() => { if (!open.size && !busy.size) refresh(); }, 60000);
