package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// rekor measures Rekor over stock Trillian and MariaDB. An answer is the entry with its
// inclusion proof; nobody but its own key has signed the checkpoint.
func (b *bench) rekor(ctx context.Context, s System) (System, error) {
	n := len(b.running)
	defer b.endAll(n)
	dir, err := os.MkdirTemp(b.tmp, "rekor")
	if err != nil {
		return s, err
	}
	programs, err := b.build(ctx, rekorServer, trillianServer, trillianSigner)
	if err != nil {
		return s, err
	}
	db, err := b.startDatabase(ctx, filepath.Join(dir, "db"))
	if err != nil {
		return s, err
	}
	schema, err := os.ReadFile(filepath.Join(b.root, "logserver", "engine", "mysql.sql"))
	if err != nil {
		return s, err
	}
	if _, err := db.run(ctx, b, "trillian", string(schema)); err != nil {
		return s, err
	}
	var addrs [3]string
	for i := range addrs {
		if addrs[i], err = freeAddress(); err != nil {
			return s, err
		}
	}
	common := []string{"--storage_system=mysql", "--mysql_uri=" + db.dsn("trillian"), "--quota_system=noop", "--http_endpoint="}
	server, err := b.start("trillian_log_server", dir, append([]string{programs[1], "--rpc_endpoint=" + addrs[0]}, common...)...)
	if err != nil {
		return s, err
	}
	signer, err := b.start("trillian_log_signer", dir, append([]string{programs[2], "--rpc_endpoint=" + addrs[1], "--force_master",
		"--sequencer_interval=" + sequencerInterval, "--batch_size=1000"}, common...)...)
	if err != nil {
		return s, err
	}
	if err := server.accepts(ctx, addrs[0]); err != nil {
		return s, err
	}
	if err := signer.accepts(ctx, addrs[1]); err != nil {
		return s, err
	}
	_, trillianPort, _ := net.SplitHostPort(addrs[0])
	_, port, _ := net.SplitHostPort(addrs[2])
	front, err := b.start("rekor", dir, programs[0], "serve", "--trillian_log_server.address=127.0.0.1",
		"--trillian_log_server.port="+trillianPort,
		"--rekor_server.address=127.0.0.1", "--port="+port, "--rekor_server.signer=memory", "--enable_retrieve_api=false",
		"--log_type=prod")
	if err != nil {
		return s, err
	}
	url := "http://" + addrs[2]
	if err := front.answers(ctx, url+"/api/v1/log"); err != nil {
		return s, err
	}
	for _, c := range b.clients {
		r, err := metered([]*process{front, server, signer, db.process}, func() (Rate, error) { return b.many(ctx, c, rekorClient(url)) })
		if err != nil {
			return s, err
		}
		b.tell("%s, %d clients: %.0f/s, median %.1f ms, 99th percentile %.1f ms, %d failed; %v ms of processor time; %s", s.Name, c, r.PerSecond,
			r.P50, r.P99, r.Failed, rounded(r.CPU), r.FirstError)
		s.Rates = append(s.Rates, r)
	}
	return s, nil
}

// A caller makes one request and returns the size of what was logged.
type caller func(ctx context.Context) (int, error)

// rekorClient returns clients that each have a key of their own and submit a signed hash.
func rekorClient(url string) func() caller {
	return func() caller {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			panic(err) // no randomness
		}
		der, err := x509.MarshalPKIXPublicKey(key.Public())
		if err != nil {
			panic(err) // a P-256 key has this form
		}
		public := base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
		c := newHTTPClient()
		return func(ctx context.Context) (int, error) {
			digest := sha256.Sum256([]byte(rand.Text()))
			sig, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
			if err != nil {
				return 0, err
			}
			body := fmt.Appendf(nil, `{"apiVersion":"0.0.1","kind":"hashedrekord","spec":{"data":{"hash":{"algorithm":"sha256","value":"%s"}},`+
				`"signature":{"content":"%s","publicKey":{"content":"%s"}}}}`, hex.EncodeToString(digest[:]),
				base64.StdEncoding.EncodeToString(sig), public)
			data, err := post(ctx, c, url+"/api/v1/log/entries", "application/json", body)
			if err != nil {
				return 0, err
			}
			var answer map[string]struct {
				Body         []byte
				Verification struct{ InclusionProof *struct{ RootHash string } }
			}
			if err := json.Unmarshal(data, &answer); err != nil {
				return 0, err
			}
			for _, a := range answer {
				if a.Verification.InclusionProof == nil || !bytes.Contains(a.Body, []byte(hex.EncodeToString(digest[:]))) {
					return 0, fmt.Errorf("no inclusion proof of the entry: %s", data)
				}
				return len(a.Body), nil
			}
			return 0, fmt.Errorf("an empty answer: %s", data)
		}
	}
}

func newHTTPClient() *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}, Timeout: time.Minute}
}

func post(ctx context.Context, c *http.Client, url, contentType string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", contentType)
	resp, err := c.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode/100 != 2 {
		err = fmt.Errorf("%s: %.200s", resp.Status, data)
	}
	return data, err
}

// many has clients call until the time is over, and at least once, each waiting for its answer.
func (b *bench) many(ctx context.Context, clients int, newCaller func() caller) (r Rate, err error) {
	callers := make([]caller, clients)
	for i := range callers {
		callers[i] = newCaller()
	}
	var mu sync.Mutex
	var took []time.Duration
	self := cpuOf(os.Getpid())
	start := time.Now()
	end := start.Add(b.length)
	var wg sync.WaitGroup
	for _, call := range callers {
		wg.Go(func() {
			for i := 0; i == 0 || ctx.Err() == nil && time.Now().Before(end); i++ {
				began := time.Now()
				size, err := call(ctx)
				mu.Lock()
				if err == nil {
					took, r.EntryBytes = append(took, time.Since(began)), size
				} else if r.Failed++; r.FirstError == "" {
					r.FirstError = err.Error()
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	r.Clients, r.Receipts, r.Seconds = clients, len(took), time.Since(start).Seconds()
	r.PerSecond, r.ClientCPU = float64(len(took))/r.Seconds, (cpuOf(os.Getpid()) - self).Seconds()
	slices.Sort(took)
	r.P50, r.P99 = at(took, 0.5), at(took, 0.99)
	return r, ctx.Err()
}

// at returns a quantile of sorted times in milliseconds.
func at(took []time.Duration, q float64) float64 {
	if len(took) == 0 {
		return 0
	}
	return float64(took[int(q*float64(len(took)-1))].Microseconds()) / 1000
}
