package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/receipt"
)

// TestImportKilled kills an import with signal 9 again and again while it logs, and spoils the end
// of its files as a failing machine does. Nothing is lost and nothing is logged twice.
func TestImportKilled(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("left out with -short")
	}
	stores(t, func(t *testing.T, store string) {
		w := newTown(t, store)
		const n = 1500
		var b bytes.Buffer
		for i := range n {
			b.Write(generated(i))
		}
		w.write("export.json", b.String())
		args := slices.Concat([]string{"import"}, w.flags, []string{"-key", "ada.key", "-seen", "2026-03-01", "ctgov", "export.json"})
		file := filepath.Join(w.dir, "receipts", "ctgov.receipts")
		for i, at := range []int{1, 200, 500} {
			cmd := exec.Command(filepath.Join(binDir, "trial"), args...)
			cmd.Dir = w.dir
			var said bytes.Buffer
			cmd.Stderr = &said
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			for count := 0; count < at; {
				data, _ := os.ReadFile(file)
				count = bytes.Count(data, []byte("\nreceipt "))
				select {
				case err := <-ended:
					w.stop()
					t.Fatalf("it ended: %v\n%s\nthe log says\n%s", err, &said, &w.log.said)
				case <-time.After(time.Millisecond):
				}
			}
			cmd.Process.Kill()
			<-ended
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			switch i {
			case 0: // half of the last receipt is there
				data = data[:len(data)-700]
			case 1: // the file has grown, and what was added is not there
				data = append(data, make([]byte, 5000)...)
			}
			if err := os.WriteFile(file, data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		w.write("receipts/ctgov.sending", read(t, filepath.Join(w.dir, "receipts", "ctgov.sending"))+`{"envelope":{"payl`)
		out, said, status := w.apart(append([]string{"trial"}, args...)...)
		if status != exitDone || !strings.Contains(out, fmt.Sprintf("records %d: ", n)) {
			t.Fatalf("status %d\n%s%s", status, out[max(0, len(out)-500):], said)
		}
		has := w.receiptsOf()
		all := w.observations()
		if len(all) != n || len(has) != n {
			t.Errorf("%d numbers are logged, %d receipts are there, of %d records", len(all), len(has), n)
		}
		for number, list := range all {
			if _, ok := has[list[0].ID]; len(list) != 1 || !ok {
				t.Errorf("%s: %d observations, receipt: %v", number, len(list), ok)
			}
		}
		w.nothingLeft()
	})
}

// TestImportDone: the log is not asked about records whose receipts are filed.
func TestImportDone(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("left out with -short")
	}
	w := newTown(t, "")
	var files []string
	for i := range 3 {
		files = append(files, fmt.Sprintf("record-%d.json", i))
		w.write(files[i], string(generated(i)))
	}
	first := w.importAll(exitDone, files[:2]...)
	var asked atomic.Int64
	w.behind(func(r *http.Request, body []byte) []byte {
		if strings.HasPrefix(r.URL.Path, "/v1/") {
			asked.Add(1)
		}
		return body
	})
	again := w.importAll(exitDone, files[:2]...)
	for i, r := range again.List {
		if r.Status != importUnchanged || r.ID != first.List[i].ID || r.Index != first.List[i].Index {
			t.Errorf("%+v, first %+v", r, first.List[i])
		}
	}
	if n := asked.Load(); n > 0 {
		t.Errorf("the log was asked %d times", n)
	}
	if r := w.importAll(exitDone, files...); r.Counts[importNew] != 1 || r.Counts[importUnchanged] != 2 {
		t.Errorf("%+v", r.Counts)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestReceiptsDamaged: a receipt that is damaged is said by name and fetched again; the others are
// read.
func TestReceiptsDamaged(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("left out with -short")
	}
	w := newTown(t, "")
	var files []string
	for i := range 3 {
		files = append(files, fmt.Sprintf("record-%d.json", i))
		w.write(files[i], string(generated(i)))
	}
	w.importAll(exitDone, files...)
	name := filepath.Join(w.dir, "receipts", "ctgov.receipts")
	data := read(t, name)
	var second receipt.Filed
	n := 0
	if _, err := pickReceipts(name, func(r receipt.Filed) bool {
		if n++; n == 2 {
			second = r
			second.Receipt = bytes.Clone(r.Receipt)
		}
		return false
	}); err != nil {
		t.Fatal(err)
	}
	at := strings.Index(data, string(second.Receipt)) + 100
	w.write("receipts/ctgov.receipts", data[:at]+"x"+data[at+1:])
	verify := func(i int) (string, int) {
		_, out, status := w.run("trial", "verify", "-policy", "policy", "-proof", "receipts/ctgov.receipts", files[i])
		return out, status
	}
	damaged := 0
	for i := range files {
		switch out, status := verify(i); status {
		case exitDone:
		case exitPending:
			if damaged++; !strings.Contains(out, "cannot be checked") || !strings.Contains(out, "damaged: the receipt of "+second.ID.String()) {
				t.Errorf("%s", out)
			}
		default:
			t.Errorf("status %d\n%s", status, out)
		}
	}
	if damaged != 1 {
		t.Errorf("%d of 3 receipts are damaged", damaged)
	}
	size := w.size()
	out, said, status := w.apart(slices.Concat([]string{"trial", "import"}, w.flags, []string{"-key", "ada.key", "ctgov"}, files)...)
	if status != exitDone || w.size() != size || !strings.Contains(said, "the receipt of "+second.ID.String()+": it is fetched again") {
		t.Errorf("status %d, size %s\n%s%s", status, w.size(), out, said)
	}
	for i := range files {
		if out, status := verify(i); status != exitDone {
			t.Errorf("status %d\n%s", status, out)
		}
	}
	_, out, status = w.run("trial", "receipt", "-from", "receipts/ctgov.receipts", second.ID.String()[:trial.ShortDigits])
	if got := read(t, filepath.Join(w.dir, second.ID.String()[:12]+".tlog-proof")); status != exitDone || got != string(second.Receipt) {
		t.Errorf("status %d\n%s", status, out)
	}
	// What is altered in a receipt, with its sum, is found by verifying.
	forged, err := receipt.Filed{ID: second.ID, Document: second.Document, Receipt: []byte(strings.Replace(string(second.Receipt), "index ",
		"index 1", 1))}.AppendTo([]byte(data[:strings.Index(data, "receipt "+second.ID.String())]))
	if err != nil {
		t.Fatal(err)
	}
	w.write("receipts/ctgov.receipts", string(forged))
	for i := range files {
		if out, status := verify(i); status == exitInvalid && strings.Contains(out, "the receipt of "+second.ID.String()+" in receipts/ctgov") {
			return
		}
	}
	t.Error("a forged receipt is not found out")
}
