package vault_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/trialproof/trialproof/trial/trialtest"
	"github.com/trialproof/trialproof/trial/vault"
)

const (
	patient     = `{"resourceType":"Patient","id":"p1","name":[{"family":"Doe"}]}`
	observation = `{"resourceType":"Observation","id":"o1","subject":{"reference":"Patient/p1"},"valueQuantity":{"value":-1.5e3}}`
)

func entry(url, resource string) string {
	return `{"fullUrl":"` + url + `","resource":` + resource + `}`
}

func bundle(entries ...string) string {
	return `{"resourceType":"Bundle","type":"collection","entry":[` + strings.Join(entries, ",") + `]}`
}

func of(subject string) string {
	return `{"resourceType":"Condition","subject":{"reference":"` + subject + `"}}`
}

// TestContent: what a file says of its subject and its data, and what is refused, however the
// bytes arrive.
func TestContent(t *testing.T) {
	c := newCast(t)
	urn := "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"
	for _, test := range []struct {
		name, file    string
		subject, data string // given
		want, wantOf  string // subject and data, or
		err           string
	}{
		{name: "one resource", file: observation, want: "Patient/p1", wantOf: "Observation"},
		{name: "white space and a byte order mark", file: "\xef\xbb\xbf \n" + observation + "\r\n\t ",
			want: "Patient/p1", wantOf: "Observation"},
		{name: "a patient", file: patient, want: "Patient/p1", wantOf: "Patient"},
		{name: "a bundle", file: bundle(entry("http://h/Patient/p1", patient), entry("http://h/Observation/o1", observation)),
			want: "Patient/p1", wantOf: "Observation,Patient"},
		{name: "a bundle, by its full URL", file: bundle(entry(urn, `{"resourceType":"Patient"}`), entry("", of(urn))),
			want: urn, wantOf: "Condition,Patient"},
		{name: "the full URL last",
			file: `{"entry":[{"resource":{"id":"7","resourceType":"Patient"},"fullUrl":"` + urn + `"},{"resource":` + of(urn) +
				`}],"resourceType":"Bundle"}`, want: "Patient/7", wantOf: "Condition,Patient"},
		{name: "the patient is given by id", file: patient, subject: "p1", want: "p1", wantOf: "Patient"},
		{name: "a pseudonym is given", file: patient, subject: "P-001", want: "P-001", wantOf: "Patient"},
		{name: "the patient is given by reference", file: observation, subject: "Patient/p1", want: "Patient/p1", wantOf: "Observation"},
		{name: "a patient without a name", file: `{"resourceType":"Patient"}`, subject: "S-1", want: "S-1", wantOf: "Patient"},
		{name: "another is given", file: patient, subject: "Patient/p2",
			err: "it is said to have the data of Patient/p2, and it has those of Patient/p1"},
		{name: "another is given for references", file: observation, subject: "http://h/Patient/p2", err: "and it has those of Patient/p1"},
		{name: "two patients", file: bundle(entry("", patient), entry("", strings.ReplaceAll(patient, "p1", "p2"))),
			err: "it has 2 Patient resources"},
		{name: "a patient twice", file: bundle(entry("", patient), entry("", patient)), err: "it has 2 Patient resources"},
		{name: "two patients, one in a bundle in a bundle", file: bundle(entry("", patient), entry("", bundle(entry("", patient)))),
			err: "2 Patient"},
		{name: "a contained second patient",
			file: bundle(entry("", patient), entry("", `{"resourceType":"Observation","contained":[`+patient+`]}`)), err: "2 Patient"},
		{name: "two patients in ndjson", file: patient + "\n" + patient + "\n", err: "2 Patient"},
		{name: "two patients in an array", file: "[" + patient + "," + patient + "]", err: "2 Patient"},
		{name: "an escaped name", file: `{"resource\u0054ype":"Patient","id":"p1"}` + patient, err: "2 Patient"},
		{name: "one patient and a reference to another", file: bundle(entry("", patient), entry("", of("Patient/p2"))),
			err: "it has the Patient Patient/p1 and refers to Patient/p2 too"},
		{name: "on another server", file: bundle(entry("http://a/Patient/p1", patient), entry("", of("http://b/Patient/p1"))),
			err: "refers to http://b/Patient/p1 too"},
		{name: "references to two", file: of("Patient/p1") + "\n" + of("Patient/p2"), err: "it refers to Patient/p1 and to Patient/p2"},
		{name: "on two servers", file: of("http://a/Patient/p1") + of("http://b/Patient/p1"), err: "it refers to"},
		{name: "with a version", file: of("Patient/p1/_history/3") + of("http://a/Patient/p1") + of("Patient/p1"),
			want: "Patient/p1", wantOf: "Condition"},
		{name: "a beneficiary", file: observation + `{"resourceType":"Coverage","beneficiary":{"reference":"Patient/p2"}}`, err: "Patient/p2"},
		{name: "in an array", file: observation + `{"resourceType":"Account","subject":[{"reference":"Patient/p2"}]}`, err: "Patient/p2"},
		{name: "a performer",
			file: `{"resourceType":"Observation","subject":{"reference":"Patient/p1"},"performer":[{"reference":"Practitioner/x"}]}`,
			want: "Patient/p1", wantOf: "Observation"},
		{name: "a device", file: of("Device/d1"), wantOf: "Condition"},
		{name: "a group", file: of("Group/g1"), err: "a group"},
		{name: "nobody", file: `{"resourceType":"Questionnaire"}`, wantOf: "Questionnaire"},
		{name: "types that are listed", file: bundle(entry("", patient), entry("", observation)), data: "Condition,Observation,Patient",
			want: "Patient/p1", wantOf: "Condition,Observation,Patient"},
		{name: "a type that is not listed", file: bundle(entry("", patient), entry("", observation)), data: "Observation",
			err: "it has a resource Patient, which is not"},
		{name: "not listed, alone", file: observation, data: "Condition", err: "it has a resource Observation"},
		{name: "not listed, in ndjson", file: observation + "\n" + of("Patient/p1"), data: "Observation", err: "it has a resource Condition"},
		{name: "not listed, contained",
			file: `{"resourceType":"Observation","contained":[{"resourceType":"Medication"}]}`, data: "Observation", err: "Medication"},
		{name: "bytes", file: "\x00\x01\x02", subject: "S-1", data: "imaging", want: "S-1", wantOf: "imaging"},
		{name: "no bytes", file: ""},
		{name: "text in braces", file: "{ this is a template }", data: "text", wantOf: "text"},
		{name: "JSON that is not FHIR", file: `{"subject":{"reference":"Patient/p1"},"a":[1,true,null]}`},
		{name: "FHIR cut short", file: observation[:60], err: "cannot be read: the JSON ends too early"},
		{name: "FHIR and more", file: observation + "\nthe end", err: "cannot be read: it is not JSON"},
		{name: "FHIR that is not UTF-8", file: strings.ReplaceAll(patient, "Doe", "D\xe9e"), err: "not UTF-8"},
		{name: "two types", file: `{"resourceType":"Observation","resourceType":"Patient"}`, err: "two members resourceType"},
		{name: "two ids", file: `{"resourceType":"Patient","id":"a","id":"b"}`, err: "two members id"},
		{name: "no type", file: `{"resourceType":"a b"}`, err: "is no type of FHIR resources"},
		{name: "a long reference", file: of("Patient/" + strings.Repeat("x", 5000)), err: "a member reference with a text of over 4096 bytes"},
		{name: "deep", file: patient + strings.Repeat("[", 2000), err: "nested too deep"},
	} {
		o := c.options(1)
		o.Subject = test.subject
		if test.data != "" {
			o.Data = strings.Split(test.data, ",")
		}
		for how, src := range map[string]io.Reader{"at once": strings.NewReader(test.file),
			"byte by byte": iotest.OneByteReader(strings.NewReader(test.file))} {
			p, _, err := vault.Protect(new(bytes.Buffer), src, o)
			if test.err != "" {
				wants(t, test.name+", "+how, err, test.err)
			} else if err != nil {
				t.Errorf("%s, %s: %v", test.name, how, err)
			} else if p.Subject != test.want || strings.Join(p.Data, ",") != test.wantOf {
				t.Errorf("%s, %s: subject %q, data %q; want %q, %q", test.name, how, p.Subject, p.Data, test.want, test.wantOf)
			}
		}
	}
}

// TestContentMemory: a resource with an attachment of 256 MiB is looked at in little memory.
func TestContentMemory(t *testing.T) {
	trialtest.Long(t)
	c := newCast(t)
	head, tail := `{"resourceType":"Binary","securityContext":{"reference":"Patient/p1"},"data":"`, `","subject":{"reference":"Patient/p9"}}`
	src := io.MultiReader(strings.NewReader(head), io.LimitReader(repeating("QUJD"), 256<<20), strings.NewReader(tail))
	p, _, err := vault.Protect(io.Discard, src, c.options(1))
	if err != nil || p.Subject != "Patient/p9" {
		t.Fatalf("%+v, %v", p, err)
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if m.Sys > 200<<20 {
		t.Errorf("%d MiB from the system", m.Sys>>20)
	}
}

// repeating is a reader without an end, for reads of whole repetitions.
type repeating string

func (r repeating) Read(p []byte) (int, error) {
	for n := 0; n < len(p); {
		n += copy(p[n:], r)
	}
	return len(p), nil
}

// TestContentFiles: real FHIR files are read, whatever is concluded of them.
func TestContentFiles(t *testing.T) {
	var files []string
	for _, dir := range []string{"fhir-r4", "fhir-r5", "fhir-consent", "fhir-r6-m11", "fhir-r6-ebm"} {
		_ = filepath.Walk("../../../shared/data/"+dir, func(path string, info os.FileInfo, err error) error {
			if err == nil && strings.HasSuffix(path, "json") && info.Size() < 20<<20 {
				files = append(files, path)
			}
			return nil
		})
	}
	if len(files) == 0 {
		trialtest.Skip(t, "no ../shared/data")
	}
	c := newCast(t)
	read, refused := 0, 0
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if p, _, err := vault.Protect(io.Discard, bytes.NewReader(data), c.options(1)); err != nil {
			refused++
			t.Logf("%s: %v", filepath.Base(name), err)
			if strings.Contains(err.Error(), "cannot be read") {
				t.Errorf("%s: %v", name, err)
			}
		} else if read++; bytes.Contains(data[:min(len(data), 100)], []byte(`"resourceType"`)) && len(p.Data) == 0 &&
			!bytes.Contains(data, []byte(`"Bundle"`)) {
			t.Errorf("%s: no resource is found", name)
		}
	}
	t.Logf("%d files protected, %d refused", read, refused)
}

// TestFailures: an error of the reader or the writer is returned, and no goroutine is left.
func TestFailures(t *testing.T) {
	c := newCast(t)
	before := runtime.NumGoroutine()
	broken := errors.New("the disk is broken")
	_, _, err := vault.Protect(io.Discard, iotest.ErrReader(broken), c.options(1))
	wants(t, "reader", err, broken.Error())
	_, _, err = vault.Protect(failing{broken}, strings.NewReader("x"), c.options(1))
	wants(t, "writer", err, broken.Error())
	cipher, p := protect(t, c.options(1), []byte("x"))
	packages := []*vault.Package{release(t, "site-a", c.a, c.lab, p)}
	cut := io.MultiReader(bytes.NewReader(cipher), iotest.ErrReader(broken))
	wants(t, "reader", vault.OpenFile(io.Discard, cut, packages), broken.Error())
	wants(t, "writer", vault.OpenFile(failing{broken}, bytes.NewReader(slices.Clone(cipher)), packages), broken.Error())
	for range 1_000_000 {
		if runtime.NumGoroutine() <= before {
			return
		}
		runtime.Gosched()
	}
	t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
