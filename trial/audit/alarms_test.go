package audit_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/trialproof/trialproof/trial/trialtest"
)

// TestMonitorNewer: a rule set that the program does not know is reported once and accuses
// nobody.
func TestMonitorNewer(t *testing.T) {
	w := watch(t, nil)
	w.l.Truncate(0)
	g := *trialtest.Genesis()
	g.Rules = 1000
	raw, err := g.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	w.l.Append(raw)
	w.state, w.memory = nil, nil
	w.publish(w1, w2)
	w.restart(nil)
	if o := w.round("newer"); !o.Blind {
		t.Errorf("%+v", o)
	}
	w.round()
	w.restart(nil)
	w.round()
}

// TestMonitorLines: alarms are lines of JSON that programs read.
func TestMonitorLines(t *testing.T) {
	w := watch(t, nil)
	w.pass(3 * time.Hour)
	w.round("silence")
	line, err := json.Marshal(w.raised[0])
	if err != nil || string(line) != `{"alarm":"silence","time":"2026-03-01T12:01:00Z","text":"there is no cosigned tree newer than 2026-03-01 09:01:00 UTC that could be replayed"}` {
		t.Errorf("%s, %v", line, err)
	}
	w.publish(w1, w2)
	w.round("ended silence")
	line, err = json.Marshal(w.raised[0])
	if err != nil || !strings.HasSuffix(string(line), `,"ended":true}`) {
		t.Errorf("%s, %v", line, err)
	}
}

// TestMonitorWitnessClock: two witnesses stamp an hour ahead of the monitor's clock.
func TestMonitorWitnessClock(t *testing.T) {
	w := watch(t, nil)
	w.document()
	w.pass(time.Hour)
	w.publish(w1, w2)
	w.pass(-time.Hour)
	w.round("clock")
	if text := w.raised[0].Text; !strings.Contains(text, "w1 by 1h0m0s, w2 by 1h0m0s") {
		t.Errorf("it says %q", text)
	}
	w.pass(time.Hour)
	w.round("ended clock")
}
