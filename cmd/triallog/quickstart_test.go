package main

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// freeBase returns an address such that nothing listens there or on the three ports after it.
func freeBase(t *testing.T) string {
	t.Helper()
	for port := 20000 + os.Getpid()%10000; port < 40000; port += 4 {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		if _, err := ports(address); err == nil {
			return address
		}
	}
	t.Fatal("no ports are free")
	return ""
}

// TestQuickstartEnds: when a witness ends, all of it does, and says so; what could not be
// begun leaves no folder.
func TestQuickstartEnds(t *testing.T) {
	s := &stand{dir: filepath.Join(t.TempDir(), "try"), origin: quickstartOrigin, listen: freeBase(t)}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.begin(ctx); err == nil {
		t.Fatal("it begins with a context that has ended")
	}
	if _, err := os.Stat(s.dir); !os.IsNotExist(err) {
		t.Errorf("what was not begun left %s: %v", s.dir, err)
	}
	if err := s.begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.witnesses[1].cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := s.wait(t.Context()); err == nil {
		t.Error("a witness ended, and nothing says so")
	}
	s.end() // fails, for the witness was killed
	for _, listen := range []string{"", "x", "127.0.0.1:0", "127.0.0.1:65533", "0.0.0.0:9000", "log.example:80", ":8080"} {
		if _, err := ports(listen); err == nil {
			t.Errorf("%q is taken as an address", listen)
		}
	}
}
