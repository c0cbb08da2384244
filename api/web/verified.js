"use strict";
// The page of a trial is drawn again from what this browser has verified: the same code that the
// server ran, on histories whose proofs were checked here. If the server showed anything else, that
// is said, and what was verified is shown in its place.
(() => {
  const $ = id => document.getElementById(id);
  const content = $("content"), question = content.dataset.question;
  const served = content.cloneNode(true);

  const say = (...args) => verdict($("checked"), ...args);

  async function check(policy, whose) {
    let v;
    try {
      const dossier = await verifier.start("dossier");
      let q = JSON.parse(question);
      const draw = async () => verifier.value(await dossier.trial(policy, JSON.stringify(q), page));
      try { v = await draw(); } catch (e) {
        if (!/\bgone\b/.test(e.message)) throw e;
        q.size = "0"; // the log has grown much since
        v = await draw();
      }
    } catch (e) {
      if (e.verdict === "invalid") say("bad", "What this log's server answers does not hold", e.message + ".", "Do not rely on this page. Keep it, and tell the log's witnesses and auditors.");
      else say("warn", "Not checked: this page is the operator's word", e.message);
      return;
    }
    const drawn = document.createElement("template");
    drawn.innerHTML = v.html;
    const same = document.createElement("div");
    same.append(drawn.content.cloneNode(true));
    served.normalize();
    same.normalize();
    const equal = v.size !== JSON.parse(question).size || same.innerHTML === served.innerHTML;
    content.replaceChildren(drawn.content);
    const complete = v.replayed ? "Replaying witnesses checked that nothing is left out." : "That nothing is left out is stated by the operator: too few replaying witnesses cosigned to prove it.";
    const by = underPolicy(whose, v);
    if (!equal) say("bad", "This log's server showed something else than its log proves", "What stands below is what your browser has verified, in place of what the server showed.", complete, by);
    else say(v.replayed ? "ok" : "warn", "Checked by your browser: this page is what the log proves", complete, by + " That the record is proven does not say that the trial is in order: see below.");
  }

  const start = async () => {
    let log;
    try { log = await (await fetch("v1/log", { cache: "no-store" })).json(); } catch { say("warn", "Not checked: the log does not answer", "This page is the operator's word."); return; }
    await check(log.policy, "the log's own policy");
  };
  $("own-policy").addEventListener("change", async e => {
    const f = e.target.files[0];
    if (f) await check(await f.text(), "your policy " + f.name);
  });
  start();
})();
