package vault_test

import (
	"crypto/sha256"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/trialtest"
	"github.com/trialproof/trialproof/trial/vault"
)

// TestLargeFile: 64 MiB, and 2 GiB where TRIALPROOF_TEST_LARGE is set, are protected and opened in
// memory that does not grow with the file.
func TestLargeFile(t *testing.T) {
	trialtest.Long(t)
	size := int64(64 << 20)
	if os.Getenv("TRIALPROOF_TEST_LARGE") != "" {
		size = 2 << 30
	}
	c := newCast(t)
	name := filepath.Join(t.TempDir(), "FILE.age")
	dst, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer dst.Close()
	src := func() io.Reader { return io.LimitReader(repeating("0123456789abcde\n"), size) }
	p, _, err := vault.Protect(dst, src(), c.options(2))
	if err != nil {
		t.Fatal(err)
	}
	packages := []*vault.Package{release(t, "site-a", c.a, c.lab, p), release(t, "ngo", c.b, c.lab, p)}
	cipher, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer cipher.Close()
	want, got := sha256.New(), sha256.New()
	if _, err := io.Copy(want, src()); err != nil {
		t.Fatal(err)
	}
	if err := vault.OpenFile(got, cipher, packages); err != nil {
		t.Fatal(err)
	}
	if trial.Hash(got.Sum(nil)) != trial.Hash(want.Sum(nil)) {
		t.Error("another file was opened")
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m) // Sys is what the process has ever had from the system
	t.Logf("%d MiB protected and opened; %d MiB from the system", size>>20, m.Sys>>20)
	if m.Sys > 200<<20 {
		t.Errorf("%d MiB from the system", m.Sys>>20)
	}
}
