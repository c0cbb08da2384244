package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
)

// immudb measures immudb by its JSON interface. An answer has the proof that the entry is in the
// database and that the database has only grown. Nobody has signed anything.
func (b *bench) immudb(ctx context.Context, s System) (System, error) {
	n := len(b.running)
	defer b.endAll(n)
	programs, err := b.build(ctx, immudbServer)
	if err != nil {
		return s, err
	}
	dir, err := os.MkdirTemp(b.tmp, "immudb")
	if err != nil {
		return s, err
	}
	var ports [2]string
	for i := range ports {
		addr, err := freeAddress()
		if err != nil {
			return s, err
		}
		_, ports[i], _ = net.SplitHostPort(addr)
	}
	p, err := b.start("immudb", dir, programs[0], "--dir="+filepath.Join(dir, "data"), "--address=127.0.0.1", "--port="+ports[0],
		"--web-server-port="+ports[1],
		"--auth", "--pgsql-server=false", "--metrics-server=false")
	if err != nil {
		return s, err
	}
	url := "http://127.0.0.1:" + ports[1] + "/api"
	token := ""
	if err := p.await(ctx, func() bool {
		token, err = immudbLogin(ctx, url)
		return err == nil
	}); err != nil {
		return s, errors.Join(err)
	}
	newCaller := func() caller {
		c := newHTTPClient()
		c.Transport = bearer{token, c.Transport}
		since := uint64(0)
		return func(ctx context.Context) (int, error) {
			entry := make([]byte, 1300)
			rand.Read(entry)
			body, err := json.Marshal(map[string]any{"setRequest": map[string]any{"KVs": []any{map[string]any{"key": []byte(rand.Text()),
				"value": entry}}},
				"proveSinceTx": fmt.Sprint(since)})
			if err != nil {
				return 0, err
			}
			data, err := post(ctx, c, url+"/db/verifiable/set", "application/json", body)
			if err != nil {
				return 0, err
			}
			var answer struct {
				Tx        struct{ Header struct{ ID json.RawMessage } }
				DualProof json.RawMessage
			}
			if err := json.Unmarshal(data, &answer); err != nil {
				return 0, err
			}
			if len(answer.DualProof) < 10 {
				return 0, fmt.Errorf("no proof: %.200s", data)
			}
			_, err = fmt.Sscan(string(bytes.Trim(answer.Tx.Header.ID, `"`)), &since)
			return len(entry), err
		}
	}
	for _, c := range b.clients {
		r, err := metered([]*process{p}, func() (Rate, error) { return b.many(ctx, c, newCaller) })
		if err != nil {
			return s, err
		}
		b.tell("%s, %d clients: %.0f/s, median %.1f ms, %d failed; %s", s.Name, c, r.PerSecond, r.P50, r.Failed, r.FirstError)
		s.Rates = append(s.Rates, r)
	}
	return s, nil
}

func immudbLogin(ctx context.Context, url string) (string, error) {
	body, err := json.Marshal(map[string][]byte{"user": []byte("immudb"), "password": []byte("immudb")}) // as it is made
	if err != nil {
		return "", err
	}
	data, err := post(ctx, http.DefaultClient, url+"/login", "application/json", body)
	if err != nil {
		return "", err
	}
	var answer struct{ Token string }
	err = json.Unmarshal(data, &answer)
	return answer.Token, err
}

// bearer adds a token to requests.
type bearer struct {
	token string
	next  http.RoundTripper
}

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", b.token)
	return b.next.RoundTrip(r)
}
