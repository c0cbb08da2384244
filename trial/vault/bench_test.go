package vault_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/trialproof/trialproof/trial/vault"
)

// BenchmarkSpeed compares with age's own library, taken in turns in one run: how long it takes to
// protect and to open a file, for each time that age takes to encrypt and decrypt it for the same
// recipient. In memory nothing is read or written; with files both read and write one.
func BenchmarkSpeed(b *testing.B) {
	const size = 256 << 20
	c := newCast(b)
	owner, err := age.ParseHybridRecipient(c.owner.recipient)
	if err != nil {
		b.Fatal(err)
	}
	plain := filepath.Join(b.TempDir(), "plain")
	if err := os.WriteFile(plain, bytes.Repeat([]byte{1, 2, 3, 4}, size/4), 0o600); err != nil {
		b.Fatal(err)
	}
	data, err := os.ReadFile(plain)
	if err != nil {
		b.Fatal(err)
	}
	cipher, p := protect(b, c.options(1), data)
	if err := os.WriteFile(plain+".age", cipher, 0o600); err != nil {
		b.Fatal(err)
	}
	packages := []*vault.Package{release(b, "site-a", c.a, c.lab, p)}

	type work func(dst io.Writer, src io.Reader) error
	for _, x := range []struct {
		name      string
		from      string
		bytes     []byte
		age, ours work
	}{
		{"protect", plain, data, func(dst io.Writer, src io.Reader) error {
			w, err := age.Encrypt(dst, owner)
			if err != nil {
				return err
			}
			if _, err := io.Copy(w, src); err != nil {
				return err
			}
			return w.Close()
		}, func(dst io.Writer, src io.Reader) error {
			_, _, err := vault.Protect(dst, src, c.options(1))
			return err
		}},
		{"open", plain + ".age", cipher, func(dst io.Writer, src io.Reader) error {
			r, err := age.Decrypt(src, c.owner.ids...)
			if err != nil {
				return err
			}
			_, err = io.Copy(dst, r)
			return err
		}, func(dst io.Writer, src io.Reader) error { return vault.OpenFile(dst, src, packages) }},
	} {
		inMemory := func(w work) (time.Duration, error) {
			start := time.Now()
			if err := w(onlyWriter{io.Discard}, onlyReader{bytes.NewReader(x.bytes)}); err != nil {
				return 0, err
			}
			return time.Since(start), nil
		}
		withFiles := func(w work) (time.Duration, error) {
			dst, err := os.Create(filepath.Join(b.TempDir(), "out"))
			if err != nil {
				return 0, err
			}
			defer dst.Close()
			src, err := os.Open(x.from)
			if err != nil {
				return 0, err
			}
			defer src.Close()
			start := time.Now()
			if err := w(dst, src); err != nil {
				return 0, err
			}
			if err := dst.Sync(); err != nil {
				return 0, err
			}
			took := time.Since(start)
			return took, os.Truncate(dst.Name(), 0)
		}
		for name, run := range map[string]func(work) (time.Duration, error){"memory": inMemory, "files": withFiles} {
			b.Run(x.name+"/"+name, func(b *testing.B) {
				var theirs, ours time.Duration
				for b.Loop() {
					t, err := run(x.age)
					o, err2 := run(x.ours)
					if err != nil || err2 != nil {
						b.Fatal(err, err2)
					}
					theirs, ours = theirs+t, ours+o
				}
				rate := func(d time.Duration) float64 { return float64(b.N) * size / 1e6 / d.Seconds() }
				b.ReportMetric(rate(theirs), "age-MB/s")
				b.ReportMetric(rate(ours), "MB/s")
				b.ReportMetric(ours.Seconds()/theirs.Seconds(), "times-age")
			})
		}
	}
}

// These hide what else a reader or writer can do, so that both libraries copy block by block.
type (
	onlyReader struct{ io.Reader }
	onlyWriter struct{ io.Writer }
)
