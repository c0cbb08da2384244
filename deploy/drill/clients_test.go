//go:build unix

package drill

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/trialproof/trialproof/api/client"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/receipt"
	"github.com/trialproof/trialproof/trial/tile"
)

// A load is clients that submit for as long as a drill lasts. Each waits for every receipt, and
// sends the same statement again, to another server, until it has it.
type load struct {
	c    *cluster
	key  *trial.KeyFile
	stop atomic.Bool
	wg   sync.WaitGroup

	mu       sync.Mutex
	receipts map[trial.Hash][]byte
	index    map[trial.Hash]uint64
	newest   time.Time // when the newest statement that was acknowledged had been begun
	refused  []string
	busy     map[string]int // other answers than receipts, by what they said first
}

// load starts n clients.
func (c *cluster) load(n int) *load {
	c.t.Helper()
	data, err := os.ReadFile(filepath.Join(c.dir, "ada.key"))
	if err != nil {
		c.t.Fatal(err)
	}
	l := &load{c: c, receipts: map[trial.Hash][]byte{}, index: map[trial.Hash]uint64{}, busy: map[string]int{}}
	if l.key, err = trial.ParseKeyFile(data); err != nil {
		c.t.Fatal(err)
	}
	urls := make([]*client.Client, len(c.servers))
	for i, m := range c.servers {
		if urls[i], err = client.New("http://" + m.addr); err != nil {
			c.t.Fatal(err)
		}
	}
	for range n {
		l.wg.Go(func() { l.client(urls) })
	}
	return l
}

func (l *load) common() trial.Common {
	return trial.Common{Log: "log.example/trials", Meaning: "author", SignedAt: trial.TimeOf(time.Now())}
}

// client registers a trial and submits documents of it.
func (l *load) client(urls []*client.Client) {
	number := "DRILL-" + rand.Text()
	id, ok := l.send(urls, &trial.Statement{
		Subjects: trial.NumberSubject(number), Predicate: &trial.Registration{Common: l.common(), Number: number, Org: "acme"},
	})
	for i := 0; ok && !l.stop.Load(); i++ {
		s := trial.Subject{Name: "document"}
		rand.Read(s.Digest.SHA256[:])
		_, ok = l.send(urls, &trial.Statement{
			Subjects: []trial.Subject{s}, Predicate: &trial.Document{Common: l.common(), Trial: id, Version: fmt.Sprint(i)},
		})
	}
}

// send sends a statement until there is a receipt.
func (l *load) send(urls []*client.Client, st *trial.Statement) (id trial.Hash, ok bool) {
	begun := time.Now()
	payload, err := st.Marshal()
	if err != nil {
		l.c.t.Error(err)
		return id, false
	}
	envelope, err := trial.Sign(payload, l.key.Signer)
	if err != nil {
		l.c.t.Error(err)
		return id, false
	}
	id = trial.StatementID(payload)
	for end := begun.Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
		res, err := urls[mathrand.IntN(len(urls))].Submit(ctx, envelope, l.key.Public.SPKI())
		cancel()
		l.mu.Lock()
		if err != nil {
			what, _, _ := strings.Cut(err.Error(), "dial tcp")
			l.busy[what[:min(len(what), 150)]]++
			if rule := trial.RuleOf(err); rule != "" {
				l.refused = append(l.refused, err.Error())
				l.mu.Unlock()
				return id, false
			}
			l.mu.Unlock()
			continue
		}
		l.receipts[id], l.index[id] = []byte(res.Receipt), res.Index
		if begun.After(l.newest) {
			l.newest = begun
		}
		l.mu.Unlock()
		return id, true
	}
	return id, false
}

func (l *load) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.receipts)
}

// more waits for so many more receipts.
func (l *load) more(n int) {
	l.c.t.Helper()
	want := l.count() + n
	eventually(l.c.t, "more receipts", func() bool { return l.count() >= want })
}

// back waits until a statement that was begun from now on has its receipt, and returns how long
// that took.
func (l *load) back() time.Duration {
	l.c.t.Helper()
	start := time.Now()
	defer l.c.tell()
	eventually(l.c.t, "receipts again", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.newest.After(start)
	})
	return time.Since(start)
}

// check ends the load. Whatever was acknowledged must be in the log once, with its receipt, on
// every server; nothing may have been refused; fsck and an audit find nothing.
func (l *load) check() {
	t, c := l.c.t, l.c
	t.Helper()
	l.stop.Store(true)
	l.wg.Wait()
	for what, n := range l.busy {
		t.Logf("%d answers: %s", n, what)
	}
	if len(l.refused) > 0 {
		t.Errorf("%d statements were refused, the first one: %s", len(l.refused), l.refused[0])
	}
	text, err := os.ReadFile(filepath.Join(c.dir, "policy"))
	if err != nil {
		t.Fatal(err)
	}
	policy, err := checkpoint.ParsePolicy(text)
	if err != nil {
		t.Fatal(err)
	}
	verifier := receipt.NewVerifier(policy)
	at := map[uint64]trial.Hash{}
	for id, r := range l.receipts {
		v, err := verifier.Verify(r)
		if err != nil {
			t.Fatalf("the receipt of %s: %v", id, err)
		}
		if other, taken := at[v.Index]; taken || v.Entry.Statement.ID != id {
			t.Fatalf("entry %d is of %s and of %s", v.Index, id, other)
		}
		at[v.Index] = id
	}
	ids := l.logged()
	for id := range l.receipts {
		if ids[id] != 1 {
			t.Errorf("%s was acknowledged and is in the log %d times", id, ids[id])
		}
	}
	for _, m := range c.servers {
		if !m.running() {
			continue
		}
		eventually(t, m.name+" is ready", func() bool { return c.ready(m) })
		cl, err := client.New(m.url)
		if err != nil {
			t.Fatal(err)
		}
		for id, r := range l.receipts {
			var got client.Result
			eventually(t, m.name+" shows what was acknowledged", func() bool {
				got, err = cl.Receipt(context.Background(), id)
				return err == nil
			})
			if string(got.Receipt) != string(r) {
				t.Fatalf("%s has another receipt for %s", m.name, id)
			}
		}
		out, words, status := c.command("trial", "audit", "-log", m.url, "-policy", "policy")
		if status != 0 {
			t.Fatalf("audit of %s: status %d\n%s%s", m.name, status, out, words)
		}
	}
	t.Logf("%d statements acknowledged, each in the log once", len(l.receipts))
}

// logged counts the statements of the log.
func (l *load) logged() map[trial.Hash]int {
	n := map[trial.Hash]int{}
	l.entries(func(e *trial.Entry) {
		if e.Statement != nil {
			n[e.Statement.ID]++
		}
	})
	return n
}

// entries reads the whole log.
func (l *load) entries(f func(*trial.Entry)) {
	t := l.c.t
	t.Helper()
	cl, err := client.New(l.c.leader().url)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := cl.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tree, err := checkpoint.ParseTree(string(signed[:bytes.Index(signed, []byte("\n\n"))+1]))
	if err != nil {
		t.Fatal(err)
	}
	for i := uint64(0); i*tile.Width < tree.Size; i++ {
		list, _, err := tile.Fetch(t.Context(), cl, i, tree.Size)
		if err != nil {
			t.Fatal(err)
		}
		for _, raw := range list {
			e, err := trial.ParseEntry(raw)
			if err != nil {
				t.Fatal(err)
			}
			f(e)
		}
	}
}
