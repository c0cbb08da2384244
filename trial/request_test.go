package trial_test

import (
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/trialtest"
)

func TestRequest(t *testing.T) {
	r := trial.Request{Name: "Ada Lovelace", Org: "acme", Enrolment: trialtest.Enrolment("acme", "ada")}
	text, err := r.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	got, err := trial.ParseRequest(text)
	if err != nil || got != r {
		t.Fatalf("%+v, %v", got, err)
	}
	other, _ := trialtest.Enrolment("acme", "bob").Key.MarshalText()
	key, _ := r.Key.MarshalText()
	for what, altered := range map[string]string{
		"another organisation": strings.Replace(string(text), "acme", "beta", 1),
		"another key":          strings.Replace(string(text), string(key), string(other), 1),
		"another proof":        strings.Replace(string(text), r.Proof, trialtest.Enrolment("acme", "bob").Proof, 1),
		"no proof":             strings.Replace(string(text), r.Proof, "", 1),
		"no key":               strings.Replace(string(text), string(key), "", 1),
		"no header":            string(text)[5:],
		"nothing":              "",
	} {
		if _, err := trial.ParseRequest([]byte(altered)); err == nil {
			t.Errorf("%s is taken", what)
		}
	}
}
