package audit_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/trialproof/trialproof/trial/audit"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// slow is a source whose tiles come only when the test lets them through, whatever the caller's
// deadline: a slow server that is not gone.
type slow struct {
	*source
	gate chan struct{}
}

func (s slow) Tile(ctx context.Context, path string) ([]byte, error) {
	<-s.gate
	return s.source.Tile(ctx, path)
}

// TestDeadline: an audit ends when its time is up, however many bundles are on their way, and
// goes on from there when it is run again.
func TestDeadline(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	l := trialtest.NewLog(t)
	grow(l, open(l), 256*40)
	l.Close()
	src := newSource(t, l)
	synctest.Test(t, func(t *testing.T) {
		s := slow{src, make(chan struct{})}
		a := audit.New(src.policy, s)
		for a.Size() < 256*20 {
			ctx, cancel := context.WithCancel(t.Context())
			let := make(chan struct{}) // closed when the helper is done
			go func() {
				defer close(let)
				synctest.Wait() // every worker waits for its tile, and the next bundle for a worker
				cancel()
				synctest.Wait()
				for { // in the end everything that was asked for comes
					select {
					case s.gate <- struct{}{}:
					default:
						return
					}
					synctest.Wait()
				}
			}()
			before := a.Size()
			if _, err := a.Run(ctx); !errors.Is(err, context.Canceled) {
				t.Fatalf("the audit ends with %v", err)
			}
			<-let
			if a.Size() == before {
				t.Fatal("nothing of it stayed")
			}
		}
		close(s.gate)
		if r, err := a.Run(t.Context()); err != nil || len(r.Findings) > 0 {
			t.Fatalf("%+v, %v", r, err)
		}
	})
}
