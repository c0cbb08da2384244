package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/trialproof/trialproof/trial/tile"
)

// What scripts need to lose a log and to restore it.

// mirror URL DIR copies what a restore needs of a log into files: the checkpoint
// and the entry bundles, under the paths that they are served at.
func mirrorCmd(ts *testscript.TestScript, neg bool, args []string) {
	get := func(path string) []byte {
		resp, err := http.Get(args[0] + "/" + path)
		ts.Check(err)
		defer resp.Body.Close()
		data, err := io.ReadAll(resp.Body)
		ts.Check(err)
		if resp.StatusCode != http.StatusOK {
			ts.Fatalf("%s: status %d", path, resp.StatusCode)
		}
		name := filepath.Join(ts.MkAbs(args[1]), filepath.FromSlash(path))
		ts.Check(os.MkdirAll(filepath.Dir(name), 0o755))
		ts.Check(os.WriteFile(name, data, 0o644))
		return data
	}
	size, err := strconv.ParseUint(strings.Split(string(get("checkpoint")), "\n")[1], 10, 64)
	ts.Check(err)
	for n := uint64(0); n*tile.Width < size; n++ {
		get(tile.Path(tile.Entries, n, int(min(size-n*tile.Width, tile.Width))))
	}
}

// files NAME DIR [N] serves a folder's files as any web server does; $NAME is the
// URL. After N entry bundles it takes requests and answers none, and makes the
// file NAME.hung.
func filesCmd(ts *testscript.TestScript, neg bool, args []string) {
	limit := int64(1 << 62)
	if len(args) > 2 {
		var err error
		limit, err = strconv.ParseInt(args[2], 10, 64)
		ts.Check(err)
	}
	var served atomic.Int64
	hung := ts.MkAbs(args[0] + ".hung")
	files := http.FileServer(http.Dir(ts.MkAbs(args[1])))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/entries/") && served.Add(1) > limit {
			os.WriteFile(hung, nil, 0o644)
			<-r.Context().Done()
			return
		}
		files.ServeHTTP(w, r)
	}))
	ts.Defer(func() { srv.CloseClientConnections(); srv.Close() })
	ts.Setenv(args[0], srv.URL)
}

// sigkill FILE COMMAND... runs a command and kills it by SIGKILL a moment after the
// file is there; it must be at work until then.
func sigkillCmd(ts *testscript.TestScript, neg bool, args []string) {
	cmd := exec.Command(filepath.Join(binDir, args[1]), args[2:]...)
	cmd.Dir = ts.MkAbs(".")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	ts.Check(cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		_, err := os.Stat(ts.MkAbs(args[0]))
		if err == nil || time.Now().After(deadline) {
			break
		}
	}
	time.Sleep(200 * time.Millisecond)
	cmd.Process.Kill()
	err := <-ended
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok || exit.Exited() {
		ts.Fatalf("%v was not killed: %v: %s", args[1:], fmt.Sprint(err), &stderr)
	}
}

// signed URL N waits until the published checkpoint has N signatures of the log.
func signedCmd(ts *testscript.TestScript, neg bool, args []string) {
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		resp, err := http.Get(args[0] + "/checkpoint")
		ts.Check(err)
		data, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		ts.Check(err)
		origin, _, _ := strings.Cut(string(data), "\n")
		if got := strings.Count(string(data), "\n— "+origin+" "); fmt.Sprint(got) == args[1] {
			return
		} else if time.Now().After(deadline) {
			ts.Fatalf("%d signatures of the log, want %s:\n%s", got, args[1], data)
		}
	}
}
