"use strict";
// The trial's histories are fetched and verified, and the comparison is made from them, here.
(() => {
  const $ = id => document.getElementById(id);

  $("form").addEventListener("submit", async e => {
    e.preventDefault();
    $("compare").disabled = true;
    $("content").replaceChildren();
    $("print").hidden = true;
    verdict($("checked"), "busy", "Asking the log, and checking its proofs");
    try {
      const log = await (await fetch("v1/log", { cache: "no-store" })).json();
      const dossier = await verifier.start("dossier");
      const q = { size: "0", asked: $("asked").value.trim(), at: new Date().toISOString().slice(0, 10), article: $("article").value, comparing: true };
      const v = verifier.value(await dossier.trial(log.policy, JSON.stringify(q), page));
      const drawn = document.createElement("template");
      drawn.innerHTML = v.html;
      $("content").replaceChildren(drawn.content);
      if (!$("content").querySelector("#outcomes")) {
        verdict($("checked"), "warn", "Not compared: several trials claim this number", underPolicy("the log's own policy", v));
        $("compare").disabled = false;
        return;
      }
      verdict($("checked"), v.replayed ? "ok" : "warn", "Compared by your browser with what the log proves",
        v.replayed ? "Replaying witnesses checked that nothing is left out of the trial's record." : "That nothing is left out is stated by the operator: too few replaying witnesses cosigned to prove it.",
        underPolicy("the log's own policy", v),
        "Compared on " + new Date().toISOString().slice(0, 16).replace("T", " ") + " UTC. A match is a proposal for a person to judge. None is a finding of misconduct.");
      const given = make("pre", "", q.article.trim());
      $("content").append(make("section", "", make("h2", "", "The article's outcomes, as they were typed"), given));
      $("print").hidden = false;
      $("checked").scrollIntoView({ block: "nearest" });
    } catch (e) {
      if (e.verdict === "invalid") verdict($("checked"), "bad", "What this log's server answers does not hold", e.message);
      else if (/does not have the form of/.test(e.message)) verdict($("checked"), "warn", "Not compared", "This is neither a registry's number nor a trial's id in this log. If you have only words of the title, use Search.");
      else verdict($("checked"), "warn", "Not compared", e.message);
    }
    $("compare").disabled = false;
  });
  const asked = new URLSearchParams(location.search).get("id");
  if (asked) $("asked").value = asked;
  $("print").addEventListener("click", () => window.print());
})();
