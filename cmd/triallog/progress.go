package main

import (
	"fmt"
	"io"
	"os"
	"time"
)

// A progress is one line on a terminal, rewritten as work goes on. Elsewhere it
// shows nothing.
type progress struct {
	w     io.Writer // nil: not a terminal
	start time.Time
	last  time.Time
}

func (e *env) progress() *progress {
	p := &progress{start: time.Now()}
	if f, ok := e.stderr.(*os.File); ok {
		if st, err := f.Stat(); err == nil && st.Mode()&os.ModeCharDevice != 0 {
			p.w = f
		}
	}
	return p
}

func (p *progress) show(done, total uint64) {
	if p.w == nil || time.Since(p.last) < 200*time.Millisecond {
		return
	}
	p.last = time.Now()
	rate := float64(done) / time.Since(p.start).Seconds()
	fmt.Fprintf(p.w, "\r\x1b[K%d of %d entries, %.0f a second", done, total, rate)
}

func (p *progress) end() {
	if !p.last.IsZero() {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
