package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/history"
	"github.com/trialproof/trialproof/trial/tile"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// An operator has the log's key and no scruples: it logs what it likes, signs what
// it likes and shows each asker what it likes. Its witnesses are real: processes of
// trialwitness that it asks by their protocol.
type operator struct {
	t         *testing.T
	dir       string
	log       *trialtest.Log // what it shows
	key       trialtest.Cosigner
	http      *httptest.Server          // what readers of this log are shown
	front     *atomic.Pointer[operator] // whose log the witnesses are shown, at the URL that they know
	witnesses map[string]*process
	vkeys     map[string]string
	policy    string // file of the policy that readers have

	lie   func(*history.History) // what it does to the histories that it shows
	dress func([]byte) []byte    // and to the bytes of those

	mu        sync.Mutex // guards log and published while a request reads them
	published []byte     // the checkpoint shown
}

// newOperator starts an operator with the witnesses named, of which k must agree.
// Those whose name begins with r replay; those with c are the operator's own, and
// cosign what it likes.
func newOperator(t *testing.T, k int, names ...string) *operator {
	t.Helper()
	o := &operator{t: t, dir: t.TempDir(), log: trialtest.NewLog(t), key: trialtest.Cosigner{Key: trialtest.Origin, Alg: 1},
		witnesses: map[string]*process{}, vkeys: map[string]string{}}
	o.http = httptest.NewServer(http.HandlerFunc(o.serve))
	t.Cleanup(o.http.Close)
	o.front = new(atomic.Pointer[operator])
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { o.front.Load().serve(w, r) }))
	t.Cleanup(front.Close)
	w := &town{t: t, dir: o.dir}
	text := "log " + o.key.VKey() + " " + o.http.URL + "\n"
	for _, name := range names {
		if strings.HasPrefix(name, "c") {
			text += "witness " + name + " " + colluder(name).VKey() + "\n"
			continue
		}
		log, args := o.key.VKey(), []string{"trialwitness", "keygen", "-name", name + ".example", "-key", name + ".key"}
		if strings.HasPrefix(name, "r") {
			log += "=" + front.URL
			args = []string{"trialwitness", "keygen", "-replay", "-name", name + ".example/replay", "-key", name + ".key"}
		}
		o.vkeys[name] = w.ok(args...)
		p, err := startProcess(o.dir, append(os.Environ(), "PATH="+binDir), "trialwitness", "serve", "-key", name+".key", "-dir", name,
			"-listen", "127.0.0.1:0", "-log", log)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { p.cmd.Process.Kill() })
		o.witnesses[name] = p
		text += "witness " + name + " " + o.vkeys[name] + " " + p.url + "\n"
	}
	text += fmt.Sprintf("group g %d %s\nquorum g\n", k, strings.Join(names, " "))
	o.policy = filepath.Join(o.dir, "policy")
	if err := os.WriteFile(o.policy, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	o.admit("registrar")(trialtest.Org("acme", "Acme", "ada"))
	o.admit("ada")(trialtest.Register("X-1"))
	return o
}

// trial returns the id of the trial that the operator's log begins with.
func (o *operator) trial() trial.Hash { return o.log.IDs[4] }

// admit logs a statement that keeps the rules, and a state entry.
func (o *operator) admit(who string) func(trial.Predicate, []trial.Subject) {
	return func(p trial.Predicate, subjects []trial.Subject) {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.log.Admit(who, p, subjects)
		o.log.Close()
	}
}

// document logs documents of the trial, with contents that differ by version.
func (o *operator) document(versions ...string) {
	for _, v := range versions {
		o.admit("ada")(&trial.Document{Common: trialtest.Common(), Trial: o.trial(), Version: v}, trialtest.Documents("document", v))
	}
}

// force puts an entry into the log that no rule admits, and a state entry that
// says that nothing came of it.
func (o *operator) force(raw []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	at := o.log.State.Time()
	if e, err := trial.ParseEntry(raw); err == nil {
		at = max(at, e.Time)
	}
	o.log.Append(raw)
	o.log.State.Skip(o.log.Size() - 1)
	end, err := o.log.State.Close(at)
	if err != nil {
		o.t.Fatal(err)
	}
	o.log.State.Commit()
	o.log.Append(end)
}

// forged returns the entry of a statement with a signer of the operator's making.
func (o *operator) forged(who string, signer trial.Signer, p trial.Predicate, subjects []trial.Subject) []byte {
	envelope, _ := trialtest.Sign(o.t, who, p, subjects)
	raw, err := json.Marshal(map[string]any{
		"envelope": json.RawMessage(envelope), "signer": signer, "time": o.log.State.Time(), "type": "statement",
	})
	if err != nil {
		o.t.Fatal(err)
	}
	return raw
}

// fork returns an operator with the same key, witnesses and readers that has logged
// something else since the first n entries.
func (o *operator) fork(n uint64) *operator {
	o.t.Helper()
	other := &operator{t: o.t, dir: o.dir, log: new(trialtest.Log), key: o.key, front: o.front, witnesses: o.witnesses, vkeys: o.vkeys,
		policy: o.policy}
	*other.log = *trialtest.NewLog(o.t)
	other.log.Truncate(0)
	other.log.State = new(trial.State)
	for i, raw := range o.log.Leaves[:n] {
		e, err := trial.ParseEntry(raw)
		if err == nil {
			err = e.Verify()
		}
		if err == nil {
			err = other.log.State.Apply(e)
		}
		if err != nil {
			o.t.Fatal(err)
		}
		other.log.State.Commit()
		other.log.Append(raw)
		other.log.IDs[i] = o.log.IDs[i]
	}
	other.http = httptest.NewServer(http.HandlerFunc(other.serve))
	o.t.Cleanup(other.http.Close)
	return other
}

// signed returns the log's checkpoint of the tree that it has.
func (o *operator) signed() []byte {
	return trialtest.Checkpoint(o.t, o.log.Tree(o.log.Size()), []note.Signer{o.key}...)
}

// colluder returns a witness that signs what it is given.
func colluder(name string) trialtest.Cosigner {
	return trialtest.Cosigner{Key: name + ".example", Alg: 4, Time: uint64(time.Now().Unix())}
}

// ask sends the checkpoint to a witness, which saw the tree of size old, and
// returns the status of its answer and the cosignature, or what else it says.
func (o *operator) ask(name string, old uint64) (status int, said string) {
	o.t.Helper()
	if strings.HasPrefix(name, "c") {
		lines := strings.SplitAfter(string(trialtest.Checkpoint(o.t, o.log.Tree(o.log.Size()), colluder(name))), "\n")
		return http.StatusOK, lines[len(lines)-2]
	}
	o.front.Store(o)
	body := fmt.Sprintf("old %d\n", old)
	if old > 0 {
		proof, err := tlog.ProveTree(int64(o.log.Size()), int64(old), o.log)
		if err != nil {
			o.t.Fatal(err)
		}
		for _, h := range proof {
			body += h.String() + "\n"
		}
	}
	resp, err := http.Post(o.witnesses[name].url+"/add-checkpoint", "text/plain", strings.NewReader(body+"\n"+string(o.signed())))
	if err != nil {
		o.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		o.t.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}

// publish shows a checkpoint with these cosignatures from now on.
func (o *operator) publish(cosignatures ...string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.published = append(o.signed(), strings.Join(cosignatures, "")...)
}

// agree asks the witnesses, publishes what they cosign and wants all to do so.
func (o *operator) agree(old uint64, names ...string) {
	o.t.Helper()
	var all []string
	for _, name := range names {
		status, said := o.ask(name, old)
		if status != http.StatusOK {
			o.t.Fatalf("%s answers %d: %s", name, status, said)
		}
		all = append(all, said)
	}
	o.publish(all...)
}

// serve answers as a log does, of what the operator shows.
func (o *operator) serve(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	path := strings.TrimPrefix(r.URL.Path, "/")
	switch {
	case path == "checkpoint":
		w.Write(o.published)
	case path == "v1/history":
		h := o.history(trial.RecordKey{Kind: r.FormValue("kind"), ID: r.FormValue("id")})
		if r.FormValue("from") != "" { // nothing comes behind the first page, for it has all
			h.Entries = nil
		} else if o.lie != nil {
			o.lie(h)
		}
		data, err := json.Marshal(h)
		if err != nil {
			o.t.Error(err)
		}
		if o.dress != nil {
			data = o.dress(data)
		}
		w.Write(data)
	case strings.HasPrefix(path, "tile/"):
		data, err := o.tile(path)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		w.Write(data)
	default:
		http.NotFound(w, r)
	}
}

func (o *operator) tile(path string) ([]byte, error) {
	rest, bundle := strings.CutPrefix(path, "tile/entries/")
	level := 0
	if !bundle {
		l, r, _ := strings.Cut(strings.TrimPrefix(path, "tile/"), "/")
		n, err := strconv.Atoi(l)
		if err != nil {
			return nil, err
		}
		level, rest = n, r
	}
	name, part, _ := strings.Cut(rest, ".p/")
	n, err := strconv.ParseUint(strings.NewReplacer("x", "", "/", "").Replace(name), 10, 64)
	if err != nil {
		return nil, err
	}
	width := tile.Width
	if part != "" {
		if width, err = strconv.Atoi(part); err != nil {
			return nil, err
		}
	}
	if (n*tile.Width+uint64(width))<<(8*level) > o.log.Size() {
		return nil, os.ErrNotExist
	}
	if bundle {
		return o.log.Bundle(n, width), nil
	}
	return tlog.ReadTileData(tlog.Tile{H: 8, L: level, N: int64(n), W: width}, o.log)
}

// history builds the history of a record, as an honest server does.
func (o *operator) history(key trial.RecordKey) *history.History {
	size := o.log.Size()
	entry := func(i uint64) history.Entry {
		return history.Entry{Index: i, Entry: string(o.log.Leaves[i]), Path: history.Strings(o.log.Path(i, size))}
	}
	h := &history.History{Kind: key.Kind, ID: key.ID, Checkpoint: string(o.published), State: entry(size - 1),
		Map: history.NewMap(o.log.State.Prove(key))}
	r := o.log.State.Record(key)
	if r == nil {
		return h
	}
	data, err := trial.MarshalRecord(r)
	if err != nil {
		o.t.Error(err)
	}
	h.Record = string(data)
	s := new(trial.State)
	for i := range size {
		edits := s.Edits()
		e, err := trial.ParseEntry(o.log.Leaves[i])
		if err != nil || e.Verify() != nil || s.Apply(e) != nil {
			s.Skip(i)
			continue
		}
		if e.State != nil {
			s.Commit()
		} else if slices.ContainsFunc(s.Touched(edits), func(r trial.Record) bool { return r.RecordKey() == key }) {
			h.Entries = append(h.Entries, entry(i))
		}
	}
	return h
}

// run runs a command in the operator's folder, as a reader of its log.
func (o *operator) run(args ...string) (out string, status int) {
	o.t.Helper()
	_, out, status = (&town{t: o.t, dir: o.dir}).run(args...)
	return out, status
}

// reads runs a command of trial's on the log and wants its status and words.
func (o *operator) reads(status int, words string, args ...string) {
	o.t.Helper()
	args = append([]string{"trial", args[0], "-log", o.http.URL, "-policy", o.policy}, args[1:]...)
	out, got := o.run(args...)
	if got != status || !strings.Contains(out, words) {
		o.t.Fatalf("%v: status %d, want %d and %q\n%s", args, got, status, words, out)
	}
}

// corrupt returns raw with one text put in place of another within the payload of
// the envelope, which nobody has signed.
func corrupt(t *testing.T, raw []byte, old, now string) []byte {
	t.Helper()
	e, err := trial.ParseEntry(raw)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := base64.StdEncoding.DecodeString(e.Statement.Envelope.Payload)
	if err != nil || !bytes.Contains(payload, []byte(old)) {
		t.Fatalf("%v: %s does not hold %q", err, payload, old)
	}
	altered := base64.StdEncoding.EncodeToString(bytes.Replace(payload, []byte(old), []byte(now), 1))
	return bytes.Replace(raw, []byte(e.Statement.Envelope.Payload), []byte(altered), 1)
}
