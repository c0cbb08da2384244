package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/trialproof/trialproof/trial/vault"
)

// A tap keeps everything that passes between the commands and the log.
type tap struct {
	mu   sync.Mutex
	data bytes.Buffer
}

func (x *tap) Write(p []byte) (int, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.data.Write(p)
}

// listen returns a proxy of the log that keeps requests and answers.
func (x *tap) listen(t *testing.T, to string) string {
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	p := httputil.NewSingleHostReverseProxy(u)
	p.ModifyResponse = func(resp *http.Response) error {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.TeeReader(resp.Body, x), resp.Body}
		return nil
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(x, r.URL, r.Header)
		r.Header.Del("Accept-Encoding") // what is kept can be read
		r.Body = struct {
			io.Reader
			io.Closer
		}{io.TeeReader(r.Body, x), r.Body}
		p.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// forms returns a secret as it may stand somewhere: as it is, in hexadecimal, and in base64 at
// each of the three places that it may begin at.
func forms(secret []byte) (list [][]byte) {
	list = append(list, secret, []byte(hex.EncodeToString(secret)))
	for shift := range 3 {
		padded := append(bytes.Repeat([]byte{0}, shift), secret...)
		for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			text := enc.EncodeToString(padded)
			list = append(list, []byte(text[(8*shift+5)/6:8*len(padded)/6])) // digits that no other byte has a part in
		}
	}
	return list
}

// found returns where a secret stands.
func found(places map[string][]byte, secret []byte) string {
	for _, form := range forms(secret) {
		for name, data := range places {
			if bytes.Contains(data, form) {
				return name
			}
		}
	}
	return ""
}

// TestNothingLeaks searches everything that the log, its witnesses and the wire between have, for
// what they must not know.
func TestNothingLeaks(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, flags string) {
		c := newClinic(t, flags)
		real := c.flags
		wire := &tap{}
		c.flags = []string{"-log", wire.listen(t, c.log.url), "-policy", "policy"}
		text := observation("HIV-1 RNA detected, 48000 copies/mL")
		c.patient("P-001-secret", text)
		c.write("plan.pdf", "the plan of the request")
		request := c.trialCmd("access request", "-key", "lab.key", "-of", "site-a", "-use", "DUO:0000006", "-settle", "0", "plan.pdf")
		c.trialCmd("access decide", "-key", "site-a.key", "-approve", request)
		if _, out, status := c.release(request); status != 0 {
			t.Fatalf("%d: %s", status, out)
		}
		c.trialCmd("consent log", "P-001-secret.html")
		c.trialCmd("consent end", "P-001-secret.html")

		data, err := os.ReadFile(filepath.Join(c.dir, "P-001-secret.json.protected"))
		if err != nil {
			t.Fatal(err)
		}
		p, _, err := vault.ParseProtected(data)
		if err != nil {
			t.Fatal(err)
		}
		identity, err := os.ReadFile(filepath.Join(c.dir, "site-a.identity"))
		if err != nil {
			t.Fatal(err)
		}
		ids, err := vault.ParseIdentities(identity)
		if err != nil {
			t.Fatal(err)
		}
		share, err := p.Open("site-a", ids)
		if err != nil {
			t.Fatal(err)
		}
		secrets := map[string][]byte{"the person": []byte("P-001-secret"), "the data class": []byte("Observation"), "the purpose": []byte("DUO:0000042"),
			"the file key": share.Share}
		for i := 0; i+16 <= len(text); i++ {
			secrets[fmt.Sprintf("16 bytes of the file at %d", i)] = []byte(text[i : i+16])
		}
		// read returns all that log, witnesses and wire have by now.
		read := func() map[string][]byte {
			places := map[string][]byte{}
			for _, dir := range []string{"log", "w1", "w2", "w3"} {
				err := filepath.WalkDir(filepath.Join(c.dir, dir), func(name string, d fs.DirEntry, err error) error {
					if err != nil || !d.Type().IsRegular() {
						return err
					}
					places[name], err = os.ReadFile(name)
					if errors.Is(err, fs.ErrNotExist) {
						return nil // a temporary file
					}
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			wire.mu.Lock()
			places["the wire"] = slices.Clone(wire.data.Bytes())
			wire.mu.Unlock()
			for index := 0; ; index++ { // what a database elsewhere holds is in the entries, too
				status, body := fetched(t, fmt.Sprintf("%s/v1/entries/%d", real[1], index))
				if status != http.StatusOK {
					break
				}
				var e struct{ Entry string }
				if err := json.Unmarshal(body, &e); err != nil {
					t.Fatal(err)
				}
				places["the entries"] = append(places["the entries"], e.Entry...)
			}
			return places
		}
		places := read()
		if len(places["the wire"]) < 10_000 || len(places["the entries"]) < 10_000 || len(places) < 8 {
			t.Fatalf("only %d bytes of the wire, %d of the entries, %d places", len(places["the wire"]), len(places["the entries"]), len(places))
		}
		for what, secret := range secrets {
			if where := found(places, secret); where != "" {
				t.Errorf("%s is in %s", what, where)
			}
		}
		// What is put there on purpose is found, also where a statement is base64 in its envelope.
		for what, secret := range map[string]string{"the person": "P-001-secret", "the data class": "Observation", "the purpose": "DUO:0000042",
			"16 bytes of the file": "HIV-1 RNA detect", "the file key": hex.EncodeToString(share.Share)} {
			c.trialCmd("register", "-key", "lab.key", "-number", secret)
			if found(read(), []byte(secret)) == "" {
				t.Errorf("%s was put into the log and not found", what)
			}
		}
		if found(map[string][]byte{"a file": append([]byte("x"), share.Share...)}, share.Share) == "" {
			t.Error("the file key as it is would not be found")
		}
	})
}

func fetched(t *testing.T, address string) (int, []byte) {
	t.Helper()
	resp, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, body
}
