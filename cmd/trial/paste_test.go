package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/receipt"
)

// pasted WHAT RECEIPT [KEY] submits what somebody took out of a receipt to $log and
// writes the answer to the file out: the registration of another number of the same
// organisation, signed by another's key (registration), its signature under another
// statement (signature), or its statement as signed for another log (log).
func pastedCmd(ts *testscript.TestScript, neg bool, args []string) {
	r, err := receipt.Parse([]byte(ts.ReadFile(args[1])))
	ts.Check(err)
	e, err := trial.ParseEntry(r.Entry)
	ts.Check(err)
	payload, err := base64.StdEncoding.DecodeString(e.Statement.Envelope.Payload)
	ts.Check(err)
	envelope, err := json.Marshal(e.Statement.Envelope)
	ts.Check(err)
	key := e.Statement.Key
	switch args[0] {
	case "registration":
		thief, err := readKey(ts.MkAbs(args[2]))
		ts.Check(err)
		envelope, err = trial.Sign(bytes.Replace(payload, []byte(`"X-1"`), []byte(`"X-9"`), 1), thief.Signer)
		ts.Check(err)
		key = thief.Public
	case "signature":
		other := base64.StdEncoding.EncodeToString(bytes.Replace(payload, []byte(`"X-1"`), []byte(`"X-9"`), 1))
		envelope = bytes.Replace(envelope, []byte(e.Statement.Envelope.Payload), []byte(other), 1)
	case "log":
		// A statement that the very same key signed for another log.
		admin, err := readKey(ts.MkAbs("ada.key"))
		ts.Check(err)
		envelope, err = trial.Sign(bytes.Replace(payload, []byte(`"log":"log.example/trials"`), []byte(`"log":"log.example/others"`), 1),
			admin.Signer)
		ts.Check(err)
	}
	spki := base64.StdEncoding.EncodeToString(key.SPKI())
	body := fmt.Sprintf(`{"envelope":%s,"key":%q}`, envelope, spki)
	resp, err := http.Post(ts.Getenv("log")+"/v1/statements", "application/json", strings.NewReader(body))
	ts.Check(err)
	defer resp.Body.Close()
	var answer bytes.Buffer
	_, err = answer.ReadFrom(resp.Body)
	ts.Check(err)
	if resp.StatusCode < 400 || resp.StatusCode > 499 {
		ts.Fatalf("status %d: %s", resp.StatusCode, &answer)
	}
	ts.Check(os.WriteFile(ts.MkAbs("out"), answer.Bytes(), 0o644))
}
