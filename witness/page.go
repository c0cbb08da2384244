package witness

import (
	"fmt"
	"html"
	"net/http"
	"slices"
	"strings"
	"time"
)

// servePage shows people who this witness is, on a page that can be read as easily without a
// browser. It says nothing that /metrics and the checkpoints do not say.
func (w *Witness) servePage(rw http.ResponseWriter, r *http.Request) {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	text := html.EscapeString
	name := text(w.cfg.Key.Name())
	line("<!doctype html>\n<html lang=en><meta charset=utf-8><title>%s: a witness</title>\n<pre>", name)
	line("This is the witness %s (c2sp.org/tlog-witness).", name)
	if w.cfg.Key.Replays() {
		line("It replays every entry of the logs below, and cosigns only those that keep the rules.")
	} else {
		line("It cosigns that the logs below only grow. It does not look at what is logged.")
	}
	line("\nIts verifier key:\n\n%s\n", text(w.cfg.Key.VKey()))
	if w.Bastion != nil {
		s := w.Bastion.State()
		line("Logs reach it through a bastion:\n\n%s\n", text(w.Bastion.URL()))
		switch {
		case s.Connected:
			line("The bastion has been connected since %s.\n", utc(s.Since))
		case s.Since.IsZero():
			line("The bastion has not been connected yet.\n")
		default:
			line("The bastion has been cut off since %s.\n", utc(s.Since))
		}
	}
	line("The logs it serves, and the size of the newest checkpoint of each that it cosigned:")
	for _, origin := range w.origins() {
		line("\n%s", text(origin))
		if r := w.ledgers[origin].newest.Load(); r.note == nil {
			line("  none yet")
		} else {
			line("  %d entries, cosigned %s", r.cp.size, utc(time.Unix(r.time, 0)))
			line(`  <a href="%[1]s/checkpoint">%[1]s/checkpoint</a>`, originHash(origin))
		}
	}
	line("\nA log asks by POST add-checkpoint. See also <a href=metrics>metrics</a> and <a href=healthz>healthz</a>.\n</pre>")
	h := rw.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	rw.Write([]byte(b.String()))
}

func utc(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// origins returns the origins of the logs served, sorted.
func (w *Witness) origins() []string {
	out := make([]string, 0, len(w.ledgers))
	for origin := range w.ledgers {
		out = append(out, origin)
	}
	slices.Sort(out)
	return out
}
