// Load submits signed statements to a log from many clients at the same time and reports how
// fast they were answered with receipts. Each client has trials of its own, waits for each
// receipt before it goes on, and compares every receipt with the statement that it sent.
//
//	go run ./deploy/load -log http://127.0.0.1:8080 -key ada.key -c 64 -d 15s
//
// The key must be enrolled. The processor time of the clients is reported separately: they
// sign, and if they run on the log's machine they use part of its time.
package main

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/trialproof/trialproof/api/client"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/receipt"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

// result is what -json prints.
type result struct {
	PerSecond  float64 `json:"per_second"`
	P50        float64 `json:"p50_ms"`
	P99        float64 `json:"p99_ms"`
	Refused    int     `json:"refused"`
	Failed     int     `json:"failed"` // errors, and answers without a receipt
	Receipts   int     `json:"receipts"`
	Clients    int     `json:"clients"`
	Seconds    float64 `json:"seconds"`
	ClientCPU  float64 `json:"client_cpu_s"`
	EntryBytes int     `json:"entry_bytes"`
	FirstError string  `json:"first_error,omitempty"`
}

func run(ctx context.Context) error {
	url := flag.String("log", "http://127.0.0.1:8080", "`URL` of the log")
	keyFile := flag.String("key", "", "signing key `file`, enrolled")
	clients := flag.Int("c", 64, "`clients` at once")
	length := flag.Duration("d", 15*time.Second, "how long")
	keep := flag.String("keep", "", "`file` for the receipts, each with a zero byte behind it")
	asJSON := flag.Bool("json", false, "print the result as JSON")
	flag.Parse()
	key, org, err := readKey(*keyFile)
	if err != nil {
		return err
	}
	c, err := client.New(*url)
	if err != nil {
		return err
	}
	origin, err := originOf(ctx, c)
	if err != nil {
		return err
	}
	l := &load{c: c, key: key, org: org, origin: origin, keep: *keep != ""}
	if l.public, err = trial.NewPublicKey(key.Public()); err != nil {
		return err
	}
	trials, err := l.registerAll(ctx, *clients)
	if err != nil {
		return err
	}
	cpu := cpuTime()
	start := time.Now()
	deadline := start.Add(*length)
	var wg sync.WaitGroup
	for _, id := range trials {
		wg.Go(func() { l.client(ctx, id, deadline) })
	}
	wg.Wait()
	r := l.result(time.Since(start))
	if l.keep {
		if err := os.WriteFile(*keep, l.receipts, 0o644); err != nil {
			return err
		}
	}
	r.Clients, r.ClientCPU = *clients, (cpuTime() - cpu).Seconds()
	if *asJSON {
		return json.NewEncoder(os.Stdout).Encode(r)
	}
	fmt.Printf("%d clients for %.1f s: %.0f receipts a second, median %.1f ms, 99th percentile %.1f ms, %d refused, %d failed; "+
		"entries of %d bytes; the clients took %.1f s of processor time\n",
		r.Clients, r.Seconds, r.PerSecond, r.P50, r.P99, r.Refused, r.Failed, r.EntryBytes, r.ClientCPU)
	if r.FirstError != "" {
		fmt.Println("first error:", r.FirstError)
	}
	return nil
}

type load struct {
	c      *client.Client
	key    crypto.Signer
	public trial.PublicKey
	origin string
	org    string
	keep   bool

	mu              sync.Mutex // guards the fields below
	took            []time.Duration
	refused, failed int
	entry           int // size of one entry in bytes
	first           error
	receipts        []byte
}

func (l *load) common() trial.Common {
	return trial.Common{Log: l.origin, Meaning: "author", SignedAt: trial.TimeOf(time.Now())}
}

// send signs a statement, submits it and checks that the receipt is for it. It does not verify
// the signature, the proof and the cosignatures, which would be part of the measurement; trial
// verify does that.
func (l *load) send(ctx context.Context, st *trial.Statement) (trial.Hash, int, error) {
	payload, err := st.Marshal()
	if err != nil {
		return trial.Hash{}, 0, err
	}
	envelope, err := trial.Sign(payload, l.key)
	if err != nil {
		return trial.Hash{}, 0, err
	}
	res, err := l.c.Submit(ctx, envelope, l.public.SPKI())
	if err != nil {
		return trial.Hash{}, 0, err
	}
	r, err := receipt.Parse([]byte(res.Receipt))
	if err != nil {
		return trial.Hash{}, 0, err
	}
	id := trial.StatementID(payload)
	if res.ID != id || r.Index != res.Index {
		return trial.Hash{}, 0, errors.New("the answer is for another statement")
	}
	if l.keep {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.receipts = append(append(l.receipts, res.Receipt...), 0)
	}
	return id, len(r.Entry), nil
}

// registerAll registers a trial for each client.
func (l *load) registerAll(ctx context.Context, n int) ([]trial.Hash, error) {
	ids := make([]trial.Hash, n)
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { ids[i], errs[i] = l.register(ctx) })
	}
	wg.Wait()
	return ids, errors.Join(errs...)
}

func (l *load) register(ctx context.Context) (trial.Hash, error) {
	number := "LOAD-" + rand.Text()
	id, _, err := l.send(ctx, &trial.Statement{
		Subjects:  trial.NumberSubject(number),
		Predicate: &trial.Registration{Common: l.common(), Number: number, Org: l.org},
	})
	return id, err
}

// perTrial is how many documents of a trial a client submits before it begins another, as the largest
// trials have: the longer a trial's record, the more each of its statements costs.
const perTrial = 500

// client submits documents of a trial until the deadline, and at least one.
func (l *load) client(ctx context.Context, id trial.Hash, deadline time.Time) {
	for i := 0; i == 0 || time.Now().Before(deadline); i++ {
		if i > 0 && i%perTrial == 0 {
			next, err := l.register(ctx)
			if err != nil {
				l.note(0, 0, err)
				continue
			}
			id = next
		}
		st := &trial.Statement{Predicate: &trial.Document{Common: l.common(), Trial: id, Version: fmt.Sprint(i)}}
		for j := range 3 {
			s := trial.Subject{Name: "document"}
			if j > 0 {
				s.Name = fmt.Sprintf("appendix-%d", j)
			}
			rand.Read(s.Digest.SHA256[:])
			st.Subjects = append(st.Subjects, s)
		}
		start := time.Now()
		_, size, err := l.send(ctx, st)
		l.note(time.Since(start), size, err)
	}
}

func (l *load) note(took time.Duration, size int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err == nil:
		l.took = append(l.took, took)
		l.entry = size
		return
	case trial.RuleOf(err) != "":
		l.refused++
	default:
		l.failed++
	}
	if l.first == nil {
		l.first = err
	}
}

func (l *load) result(took time.Duration) result {
	slices.Sort(l.took)
	at := func(q float64) float64 {
		if len(l.took) == 0 {
			return 0
		}
		return float64(l.took[int(q*float64(len(l.took)-1))].Microseconds()) / 1000
	}
	r := result{
		PerSecond: float64(len(l.took)) / took.Seconds(), P50: at(0.5), P99: at(0.99),
		Refused: l.refused, Failed: l.failed, Receipts: len(l.took), Seconds: took.Seconds(), EntryBytes: l.entry,
	}
	if l.first != nil {
		r.FirstError = l.first.Error()
	}
	return r
}

func originOf(ctx context.Context, c *client.Client) (string, error) {
	cp, err := c.Checkpoint(ctx)
	if err != nil {
		return "", err
	}
	for i, b := range cp {
		if b == '\n' {
			return string(cp[:i]), nil
		}
	}
	return "", errors.New("the checkpoint has no origin")
}

// readKey reads a key file, with the organisation that it says.
func readKey(name string) (key crypto.Signer, org string, err error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, "", err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, "", fmt.Errorf("%s has no signing key", name)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, "", err
	}
	signer, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, "", fmt.Errorf("%s has a key that cannot sign", name)
	}
	head, _, _ := strings.Cut(string(data), "-----BEGIN")
	return signer, trial.Members(head)["organisation"], nil
}
