package frame

import (
	"bytes"
	"testing"
	"time"
)

// TestProgress: a shorter line leaves nothing of a longer one, and the end leaves nothing.
func TestProgress(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	var b bytes.Buffer
	p := &Progress{w: &b, verb: "reading"}
	for _, s := range []string{"100 of 100", "1 é"} {
		p.last = time.Time{}
		p.Show("%s", s)
	}
	p.Show("too soon")
	p.End()
	if want := "\rreading 100 of 100\rreading 1 é       \r           \r"; b.String() != want {
		t.Errorf("shown is %q, want %q", b.String(), want)
	}
}
