// Biglog writes the files of a large log, with which auditors can be measured: entry bundles,
// tiles, a checkpoint and its policy, as a log serves them, made by the rules and without a
// server. It also writes the log's key, with which triallog restore makes a log from the files.
// It can serve the folder too.
//
//	go run ./deploy/biglog -n 1000000 -dir /tmp/big
//	go run ./deploy/biglog -dir /tmp/big -serve 127.0.0.1:8099
//	trial audit -log http://127.0.0.1:8099 -policy /tmp/big/policy
//
// Statements are documents with four subjects, about 1.4 kB each, or grants of consent. The
// numbers of trials and keys do not grow with the log. There are 255 statements to a state entry.
package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
)

const (
	origin = "big.example/trials"
	batch  = 255 // statements to a state entry
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "biglog:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	n := flag.Int("n", 1_000_000, "how many `entries`, state entries among them")
	dir := flag.String("dir", "", "`folder` of the files")
	keys := flag.Int("keys", 100, "how many `keys` sign")
	trials := flag.Int("trials", 1000, "how many `trials` there are")
	consents := flag.Bool("consents", false, "fill the log with grants of consent instead of documents: each has a record of its own")
	addr := flag.String("serve", "", "serve the folder at this `address` and make nothing")
	flag.Parse()
	if *dir == "" {
		return errors.New("-dir must be given")
	}
	if *addr != "" {
		return serve(ctx, *addr, *dir)
	}
	if *n < 2*(*keys+*trials)+100 {
		return fmt.Errorf("-n %d leaves no room for %d keys and %d trials", *n, *keys, *trials)
	}
	start := time.Now()
	g := &generator{out: writer{dir: *dir}, start: time.Now().Add(-24 * time.Hour), fill: document}
	if *consents {
		g.fill = grant
	}
	if err := g.run(ctx, *n, *keys, *trials); err != nil {
		return err
	}
	fmt.Printf("%d entries, %d bytes of them, in %.0f s\n", g.out.size, g.out.bytes, time.Since(start).Seconds())
	return nil
}

func serve(ctx context.Context, addr, dir string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	s := &http.Server{Handler: http.FileServer(http.Dir(dir)), ReadHeaderTimeout: time.Minute}
	context.AfterFunc(ctx, func() { s.Close() })
	fmt.Fprintf(os.Stderr, "biglog: listening on http://%s\n", l.Addr())
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// A generator is the only owner of the state.
type generator struct {
	state trial.State
	out   writer
	start time.Time
	// fill makes the i-th of the statements that fill the log.
	fill func(i int, c trial.Common, trial trial.Hash) (trial.Predicate, []trial.Subject)
}

// document is about four documents of a trial.
func document(i int, c trial.Common, id trial.Hash) (trial.Predicate, []trial.Subject) {
	var subjects []trial.Subject
	for j, name := range []string{"document", "appendix-1", "appendix-2", "appendix-3"} {
		subjects = append(subjects, trial.Subject{Name: name, Digest: trial.Digest{SHA256: sha256.Sum256(fmt.Append(nil, i, j))}})
	}
	return &trial.Document{Common: c, Trial: id, Version: fmt.Sprint(i)}, subjects
}

// grant is a consent to releases by the only organisation, to itself.
func grant(i int, c trial.Common, _ trial.Hash) (trial.Predicate, []trial.Subject) {
	digest := sha256.Sum256(fmt.Append(nil, i))
	p := &trial.Consent{Common: c, Action: "grant", Agents: []string{"big-pharma"}, Elements: digest, Lock: digest,
		Org: "big-pharma", To: "big-pharma", Until: "2099-12"}
	return p, []trial.Subject{{Name: "consent", Digest: trial.Digest{Salted256: digest}}}
}

func key(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("biglog " + name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func public(k ed25519.PrivateKey) trial.PublicKey {
	p, err := trial.NewPublicKey(k.Public())
	if err != nil {
		panic(err) // an Ed25519 key always has a public key
	}
	return p
}

// now returns the time on the log's clock: a millisecond for each ten entries.
func (g *generator) now() trial.Time {
	return trial.TimeOf(g.start.Add(time.Duration(g.out.size) * time.Millisecond / 10))
}

func (g *generator) common() trial.Common {
	return trial.Common{Log: origin, Meaning: "author", SignedAt: trial.TimeOf(g.start)}
}

func (g *generator) run(ctx context.Context, n, keys, trials int) error {
	skey, vkey, err := note.GenerateKey(rand.Reader, origin)
	if err != nil {
		return err
	}
	registrar := key("registrar")
	raw, err := trial.NewGenesis(origin, vkey, []trial.PublicKey{public(registrar)}, g.now()).Marshal()
	if err != nil {
		return err
	}
	e, err := trial.ParseEntry(raw)
	if err == nil {
		if err = g.state.Apply(e); err == nil {
			err = g.out.append(raw)
		}
	}
	if err != nil {
		return err
	}
	var signers []ed25519.PrivateKey
	for i := range keys {
		signers = append(signers, key(fmt.Sprint("signer ", i)))
	}
	admin, err := trial.NewEnrolment("big-pharma", signers[0])
	if err != nil {
		return err
	}
	org := &trial.Org{Common: g.common(), Administrators: []trial.Enrolment{admin}, ID: "big-pharma", Name: "Big Pharma"}
	if _, err := g.admit(sign(registrar, org, trial.OrgSubjects(org))); err != nil {
		return err
	}
	for _, k := range signers[1:] {
		e, err := trial.NewEnrolment("big-pharma", k)
		if err != nil {
			return err
		}
		p := &trial.Key{Common: g.common(), Action: "enrol", Enrol: &e, Org: "big-pharma", Role: "signer"}
		if _, err := g.admit(sign(signers[0], p, trial.NamedSubject("key", e.Key.ID()))); err != nil {
			return err
		}
	}
	var ids []trial.Hash
	for i := range trials {
		number := fmt.Sprint("BIG-", i)
		p := &trial.Registration{Common: g.common(), Number: number, Org: "big-pharma"}
		id, err := g.admit(sign(signers[i%keys], p, trial.NumberSubject(number)))
		if err != nil {
			return err
		}
		ids = append(ids, id)
	}
	if err := g.statements(ctx, n, signers, ids); err != nil {
		return err
	}
	if err := g.out.finish(); err != nil {
		return err
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		return err
	}
	tree := checkpoint.Tree{Origin: origin, Size: uint64(g.out.size), Root: g.out.root()}
	signed, err := note.Sign(&note.Note{Text: tree.String()}, signer)
	if err != nil {
		return err
	}
	return errors.Join(g.out.write("checkpoint", signed), g.out.write("policy", fmt.Appendf(nil, "log %s\nquorum none\n", vkey)),
		g.out.write("log.key", []byte(skey+"\n")), g.out.write("log.vkey", []byte(vkey+"\n")))
}

// A made is a statement, or the error if it could not be made.
type made struct {
	s   *trial.Signed
	err error
}

// statements fills the log up to n entries, the last one a state entry. Statements are signed in
// advance on all cores.
func (g *generator) statements(ctx context.Context, n int, signers []ed25519.PrivateKey, ids []trial.Hash) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	queue := make(chan chan made, 64*runtime.GOMAXPROCS(0))
	common := g.common()
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	go func() {
		for i := 0; ; i++ {
			c := make(chan made, 1)
			select {
			case queue <- c:
			case <-ctx.Done():
				return
			}
			slots <- struct{}{}
			go func() {
				p, subjects := g.fill(i, common, ids[i%len(ids)])
				s, err := sign(signers[i%len(signers)], p, subjects)
				c <- made{s, err}
				<-slots
			}()
		}
	}()
	for g.out.size < n-1 {
		m := <-<-queue
		if _, err := g.admit(m.s, m.err); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return g.close()
}

func sign(k ed25519.PrivateKey, p trial.Predicate, subjects []trial.Subject) (*trial.Signed, error) {
	payload, err := (&trial.Statement{Subjects: subjects, Predicate: p}).Marshal()
	if err != nil {
		return nil, err
	}
	envelope, err := trial.Sign(payload, k)
	if err != nil {
		return nil, err
	}
	return trial.Check(envelope, public(k).SPKI())
}

func (g *generator) admit(s *trial.Signed, err error) (trial.Hash, error) {
	if err != nil {
		return trial.Hash{}, err
	}
	raw, _, err := g.state.Admit(s, g.now())
	if err == nil {
		err = g.out.append(raw)
	}
	if err == nil && g.out.size%(batch+1) == batch {
		err = g.close()
	}
	return s.ID, err
}

func (g *generator) close() error {
	raw, err := g.state.Close(g.now())
	if err != nil {
		return err
	}
	g.state.Commit()
	g.state.Changed() // no snapshot is kept
	return g.out.append(raw)
}

// write need not be durable: files that are cut short are made again.
func (w *writer) write(path string, data []byte) error {
	name := filepath.Join(w.dir, filepath.FromSlash(path))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, data, 0o644)
}
