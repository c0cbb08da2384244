"use strict";
// The page of a trial is drawn again from what this browser has verified: the same code that the
// server ran, on histories whose proofs were checked here. If the server showed anything else, that
// is said, and what was verified is shown in its place. What was asked is read from the address of
// the page, not from what the server says was asked.
(() => {
  // What a server can hide where no comparison sees it (a shadow tree) is not in the markup: a page
  // that is made from the markup alone has none of it.
  const body = document.createElement("body");
  body.innerHTML = document.body.innerHTML;
  document.body.replaceWith(body);

  // A page has these parts and no others. What else the server has put in goes.
  let strange = false;
  function only(parent, ...names) {
    for (const e of [...parent.childNodes]) {
      if (e.nodeType === Node.TEXT_NODE && !e.data.trim()) continue;
      if (names[0] === (e.id || e.localName)) names.shift();
      else { strange = true; e.remove(); }
    }
    strange ||= names.length > 0;
  }
  only(body, "a", "header", "main", "footer", "script", "script", "script");
  only(body.querySelector("main"), "checked", "content");
  const words = (name) => body.querySelector(name).textContent.replace(/\s+/g, " ").trim();
  strange ||= words("header") !== "Trialproof Check a fileTrialsSearchCompare an article" ||
    !/^The log \S+ Pages are its operator's word, except where your browser has checked them\.$/.test(words("footer"));

  const $ = id => document.getElementById(id);
  const question = JSON.parse($("content").dataset.question);
  const served = $("content").cloneNode(true);
  served.normalize();
  for (const id of ["checked", "content"]) { // without what the server may have said of them
    const e = document.createElement(id === "content" ? "div" : "section");
    e.id = id;
    e.append(...$(id).childNodes);
    $(id).replaceWith(e);
  }

  const file = make("input");
  Object.assign(file, { type: "file", id: "own-policy" });
  const label = make("label", "", "Policy file");
  label.htmlFor = file.id;
  body.querySelector("main").append(make("section", "screen", make("h2", "", "Check with your own policy"),
    make("p", "", "The check above uses the policy that this log publishes, which its operator chose. If you have a policy from somebody you trust, check with that:"),
    make("p", "", label, " ", file),
    make("h2", "", "What this page cannot prove about itself"),
    make("p", "", "This page came from the log's own server, and so did the script that checks it. A server that lies about its log can also lie in the script. Whoever has reason to doubt the operator asks with a program from elsewhere: trial history and trial report.")));

  const day = 24 * 3600 * 1000;
  let lied = strange ? true : null; // whether the server showed something else: not known yet

  async function draw(policy) {
    const dossier = await verifier.start("dossier");
    const q = { query: location.search.slice(1), id: question.id, size: question.size, at: question.at };
    return verifier.value(await dossier.trial(policy, JSON.stringify(q), page));
  }

  // compare finds out whether the server showed what follows under the log's own policy.
  function compare(v) {
    const same = document.createElement("div");
    same.innerHTML = v.html;
    same.normalize();
    if (v.size === question.size && lied === null) lied = same.innerHTML !== served.innerHTML;
  }

  async function check(policy, own) {
    const say = (...args) => verdict($("checked"), ...args);
    let v;
    try { v = await draw(policy); } catch (e) {
      if (e.verdict !== "invalid") say("warn", "Not checked: this page is the operator's word", e.message);
      else if (own) say("bad", "This does not hold under your policy " + own, e.message + ".", "Either the policy is not meant for this log, or too few of those whom you trust vouch for what its server answers.");
      else say("bad", "What this log's server answers does not hold", e.message + ".", "Do not rely on this page. Keep it, and tell the log's witnesses and auditors.");
      return;
    }
    if (!own) compare(v);
    $("content").innerHTML = v.html;
    document.title = printable(v.name);
    const lines = [v.replayed ? "Replaying witnesses checked that nothing is left out." : "That nothing is left out is stated by the operator: too few replaying witnesses cosigned to prove it."];
    if (v.short) lines.push("That the name in the address means this trial, and no other, is the operator's word: a registry's number or a whole id would prove it.");
    lines.push(underPolicy(own ? "your policy " + own : "the log's own policy, which its operator chose", v));
    const off = !(Math.abs(Date.parse(question.at) + day / 2 - Date.now()) <= 2 * day);
    if (off) lines.unshift("The server judged the deadlines as of " + question.at + ", and your computer's clock says " + new Date().toISOString().slice(0, 10) + ": look at both.");
    const cls = v.replayed && !off ? "ok" : "warn";
    if (lied) say("bad", "This log's server showed something else than its log proves", "What stands below is what your browser has verified, in place of what the server showed.", ...lines);
    else if (lied === null) say("warn", "Drawn anew by your browser from what the log proves", "What the server showed could not be compared with it, because it gave no proofs of the tree that it showed.", ...lines);
    else if (off) say("warn", "Checked by your browser, but as of another day", ...lines);
    else say(cls, "Checked by your browser: this page is what the log proves", ...lines, "That the record is proven does not say that the trial is in order: see below.");
  }

  // One check after the other, so that the last one asked for has the last word.
  let work = (async () => {
    let log;
    try { log = await (await fetch("v1/log", { cache: "no-store" })).json(); } catch { verdict($("checked"), "warn", "Not checked: the log does not answer", "This page is the operator's word."); return; }
    await check(log.policy);
  })();
  file.addEventListener("change", () => {
    const f = file.files[0];
    file.value = ""; // the same file may be chosen again
    if (!f) return;
    work = work.then(async () => {
      verdict($("checked"), "busy", "Checking with your policy " + f.name);
      try { await check(new Uint8Array(await f.arrayBuffer()), f.name); } catch (e) { verdict($("checked"), "warn", "Not checked with your policy " + f.name, e.message); }
    });
  });
})();
