package main

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/custody"
)

// TestCustodyNothingLeaks tells a whole story with packs, and searches everything that the log, its witnesses
// and the wire between have for what they must not know: lots, products, arms, serials, tokens, handles,
// kit numbers and participants.
func TestCustodyNothingLeaks(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("left out with -short")
	}
	stores(t, func(t *testing.T, store string) {
		p := newPharmacy(t, store)
		real := p.flags[1]
		wire := &tap{}
		p.flags[1] = wire.listen(t, real)
		const gtin = "09506000134352"
		list := "serial,lot,expiry,arm,case\n"
		var serials []string
		for i := range 8 {
			serial := fmt.Sprintf("(01)%s(21)SN7Q%04dXZ", gtin, i)
			serials = append(serials, serial)
			list += fmt.Sprintf("%s,LOTQ%04dXZ,2031-07-1%d,ARM-%s,\n", serial, 7000+i/4, i, []string{"VERUMXIB", "SHAMOLOL"}[i/4])
		}
		list += "(01)" + gtin + "(21)INBOX0001,LOTQ8000XZ,2031-08-01,ARM-VERUMXIB,(00)095060001343520000\n"
		packing := p.issue(list)
		p.write("logger.csv", "time,temperature\n2026-03-01 08:00:00,5.1234\n2026-03-01 08:10:00,6.4321\n")
		p.custody(exitDone, "", "depot", "ship", slices.Concat([]string{"-to", "site-a", "-sensor", "logger.csv"}, serials,
			[]string{"(00)095060001343520000"})...)
		p.custody(exitDone, "", "site-a", "receive", slices.Concat([]string{"-condition", "ok"}, serials, []string{"(00)095060001343520000"})...)
		p.custody(exitDone, "", "site-a", "open", "(00)095060001343520000")
		p.custody(exitDone, "", "site-a", "dispense", "-subject", "SUBJ-4711-XZ", serials[0], serials[1])
		p.custody(exitDone, "", "site-a", "return", serials[0])
		p.custody(exitDone, "", "site-a", "lost", serials[2])
		p.custody(exitDone, "", "acme", "recall", "-unblinds", "recall", serials[3])
		p.custody(exitDone, "", "", "check", serials[4])
		p.custody(exitDone, "", "", "export", "-o", "packs.zip", serials[0], serials[1])
		p.custody(exitDone, "", "site-a", "sheet", "-subject", "SUBJ-4711-XZ")
		p.trialStatus()

		secrets := map[string][]byte{"the participant": []byte("SUBJ-4711-XZ"), "a temperature": []byte("5.1234"), "the GTIN": []byte(gtin),
			"the SSCC": []byte("095060001343520000"), "the arm VERUMXIB": []byte("VERUMXIB"), "the arm SHAMOLOL": []byte("SHAMOLOL")}
		for _, x := range packing.All() {
			_, short, _ := strings.Cut(x.Serial, "(21)")
			handle := trial.UnitHandle(x.Serial, *x.Token)
			for what, text := range map[string]string{"the serial": x.Serial, "the serial alone": short, "the lot": x.Lot, "the expiry": x.Expiry,
				"the arm": x.Arm, "the code": x.Elements(), "the case": x.Case} {
				if len(text) >= 4 {
					secrets[what+" "+text] = []byte(text)
				}
			}
			secrets["the token of "+x.Serial] = x.Token[:]
			secrets["the token's text of "+x.Serial] = []byte(custody.EncodeToken(*x.Token))
			secrets["the handle of "+x.Serial] = handle[:]
		}
		for what, secret := range maps.Clone(secrets) { // whoever guesses finds no digest to compare with
			sum := sha256.Sum256(secret)
			if !strings.HasPrefix(what, "the handle") { // whose digest is what the log knows a unit by
				secrets["SHA-256 of "+what] = sum[:]
			}
		}
		read := func() map[string][]byte {
			places := everything(t, p.town, real, "log", "w1", "w2", "w3")
			places["the statements"] = []byte(p.payloads())
			wire.mu.Lock()
			places["the wire"] = slices.Clone(wire.data.Bytes())
			wire.mu.Unlock()
			return places
		}
		places := read()
		if len(places["the wire"]) < 50_000 || len(places["the entries"]) < 10_000 || len(places) < 8 {
			t.Fatalf("only %d bytes of the wire, %d of the entries, %d places", len(places["the wire"]), len(places["the entries"]), len(places))
		}
		zip := unzipped(t, filepath.Join(p.dir, "packs.zip"))
		for what, secret := range secrets {
			if where := sought(places, secret); where != "" {
				t.Errorf("%s is in %s", what, where)
			}
			if where := sought(zip, secret); where != "" {
				t.Errorf("%s is in the export, %s", what, where)
			}
		}
		// The digests of commitments are there, so the search reads what is there.
		for _, x := range packing.Packs {
			if u := x.Commitment(); sought(places, u[:]) == "" {
				t.Errorf("the commitment of %s is not found", x.Serial)
			}
		}
		// What is put there on purpose is found, in each of its forms.
		for i, what := range slices.Sorted(maps.Keys(secrets)) {
			if i%7 != 0 || len(secrets[what]) > 32 || strings.HasPrefix(what, "the handle") {
				continue
			}
			p.trialCmd("register", "-key", "acme.key", "-number", fmt.Sprintf("X%d-%s", i, base64.RawURLEncoding.EncodeToString(secrets[what])))
		}
		p.trialCmd("register", "-key", "acme.key", "-number", "SUBJ-4711-XZ")
		places = read()
		for i, what := range slices.Sorted(maps.Keys(secrets)) {
			put := i%7 == 0 && len(secrets[what]) <= 32 && !strings.HasPrefix(what, "the handle")
			if (put || what == "the participant") && sought(places, secrets[what]) == "" {
				t.Errorf("%s was put into the log and not found", what)
			}
		}
		// A handle is shown by whoever reports its unit, and by nobody else.
		p.custody(exitDone, "", "site-b", "suspect", "-reason", "duplicate", serials[5])
		for _, x := range packing.Packs {
			handle := trial.UnitHandle(x.Serial, *x.Token)
			if where := sought(read(), handle[:]); (where != "") != (x.Serial == serials[5]) {
				t.Errorf("the handle of %s: %q", x.Serial, where)
			}
		}
	})
}

// sought returns where a secret stands, also as the hexadecimal digits that statements have, which are
// in the base64 of their envelope.
func sought(places map[string][]byte, secret []byte) string {
	if where := found(places, secret); where != "" {
		return where
	}
	return found(places, []byte(hex.EncodeToString(secret)))
}

// unzipped returns the files of an archive.
func unzipped(t *testing.T, name string) map[string][]byte {
	t.Helper()
	z, err := zip.OpenReader(name)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	files := map[string][]byte{}
	for _, f := range z.File {
		r := must(f.Open())
		files[f.Name] = must(io.ReadAll(r))
		r.Close()
	}
	return files
}

// everything returns all files of some folders, and the entries of the log.
func everything(t *testing.T, w *town, url string, dirs ...string) map[string][]byte {
	t.Helper()
	places := map[string][]byte{}
	for _, dir := range dirs {
		err := filepath.WalkDir(filepath.Join(w.dir, dir), func(name string, d fs.DirEntry, err error) error {
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
	for index := 0; ; index++ { // what a database elsewhere holds is in the entries, too
		status, body := fetched(t, fmt.Sprintf("%s/v1/entries/%d", url, index))
		if status != http.StatusOK {
			return places
		}
		var e struct{ Entry string }
		if err := json.Unmarshal(body, &e); err != nil {
			t.Fatal(err)
		}
		places["the entries"] = append(places["the entries"], e.Entry...)
	}
}
