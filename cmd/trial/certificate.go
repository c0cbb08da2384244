package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"fmt"
	"html/template"
	"path/filepath"

	"rsc.io/qr"

	"github.com/trialproof/trialproof/api/web"
	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
)

//go:embed certificate.html
var certificateHTML string

var certificatePage = template.Must(template.New("certificate").Parse(certificateHTML))

// A certification is what the page says.
type certification struct {
	File, SHA256, Role     string // of the document
	What                   string // the statement, in words
	Who, Org, Key          string
	SignerRole, Meaning    string
	Says                   string // whose word it is that the key is theirs
	Signed, Proven, Logged string // times
	ClockAhead             bool
	Log, Trial             string
	Entry, Size            uint64
	Witnesses              []witnessed
	Seen, Replayed         int
	Policy, Quorum         string
	Earlier                string // of which earlier policy, if not of the one given
	NotGiven               []string
	Receipt, ReceiptSHA256 string
	Command                string
}

type witnessed struct {
	Name, Time string
	Replays    bool
}

// certificate verifies one file offline, and writes what was found on one page to print.
func certificate(ctx context.Context, e *env, args []string) error {
	fs := e.Flags()
	var policyFile string
	policyFlag(fs, &policyFile)
	policies := fs.String("policies", "", "`file` with the log's own history (trial history -json log), for receipts older than the policy")
	proof := fs.String("proof", "", "`receipt` of the file (FILE.tlog-proof beside it if not given)")
	out := fs.String("o", "", "write the page to `FILE.html`; never over another")
	names, err := e.Parse(fs, args)
	if err != nil {
		return err
	}
	if len(names) != 1 || names[0] == stdinName || filepath.Ext(*out) != ".html" {
		return frame.Usagef("one file, and -o FILE.html for its certificate, must be given")
	}
	if exists(*out) {
		return frame.Usagef("%s is there already and is not overwritten", *out)
	}
	trust, err := readTrust(e, policyFile, *policies)
	if err != nil {
		return err
	}
	files, err := e.digestFiles(ctx, names)
	if err != nil {
		return err
	}
	f := files[0]
	if *proof == "" {
		*proof = f.name + ".tlog-proof"
	}
	v, err := verifyFile(trust, *proof, f, expectation{})
	if err != nil {
		return judged(err)
	}
	data, err := readSmall(*proof)
	if err != nil {
		return err
	}
	c := certify(v, data)
	c.Receipt = filepath.Base(*proof)
	past := ""
	if v.earlier != "" {
		past = " -policies LOG-HISTORY"
	}
	c.Command = fmt.Sprintf("trial verify -policy POLICY%s -proof %s %s", past, quoted(c.Receipt), quoted(filepath.Base(f.name)))
	c.File = frame.Printable(filepath.Base(f.name))
	code, err := qr.Encode("sha256:"+c.ReceiptSHA256, qr.M)
	if err != nil {
		return err
	}
	code.Scale = 2
	var body bytes.Buffer
	if err := certificatePage.Execute(&body, c); err != nil {
		return err
	}
	p := &web.Page{Title: "Certificate of " + c.File, Body: template.HTML(body.String()),
		Footer: "A certificate proves nothing without the file, its receipt and a policy."}
	drawn, err := p.Print("Receipt "+c.Receipt+", SHA-256 "+c.ReceiptSHA256, code.PNG())
	if err != nil {
		return err
	}
	if err := writeNew(*out, drawn, 0o666); err != nil {
		return err
	}
	fmt.Fprintf(e.Stderr, "valid: print %s, or file it with the document and its receipt; it proves nothing without them\n", *out)
	fmt.Fprintln(e.Stdout, *out)
	return nil
}

// certify returns what the page shows of a verdict.
func certify(v checked, proof []byte) *certification {
	st := v.Entry.Statement
	common := trial.CommonOf(st.Statement)
	signer := v.Entry.Signer
	c := &certification{
		SHA256: v.Documents[0].Digest.String(), Role: v.Documents[0].Subject, What: frame.Printable(trial.Describe(st.Statement)),
		Who: frame.Printable(v.Openings.Name), Org: signer.Org, Key: signer.Key.ID().String(), SignerRole: signer.Role,
		Meaning: common.Meaning,
		Signed:  common.SignedAt.String(), Logged: v.Entry.Time.String(), ClockAhead: v.ClockAhead(),
		Log: frame.Printable(v.Checkpoint.Origin), Entry: v.Index, Size: v.Checkpoint.Size,
		Policy: v.Policy.Digest(), Quorum: frame.Printable(v.Policy.QuorumText()), Earlier: v.earlier, NotGiven: v.Missing,
		ReceiptSHA256: fmt.Sprintf("%x", sha256.Sum256(proof)), Says: "as the log says",
	}
	if v.Checkpoint.ReplayQuorum() {
		c.Says = "as replaying witnesses checked"
	}
	if id, s := st.Effective(); s.Predicate.Kind() == "registration" {
		c.Trial = id.String()
	} else if of := trial.TrialOf(s); !of.IsZero() {
		c.Trial = of.String()
	}
	if t, ok := v.ProvenTime(); ok {
		c.Proven = trial.Moment(t)
	}
	if !v.Policy.Unwitnessed() {
		for _, x := range v.Checkpoint.Cosignatures {
			w := v.Policy.Witnesses[x.Witness]
			c.Witnesses = append(c.Witnesses, witnessed{frame.Printable(w.Name()), trial.Moment(x.Time), w.Replays()})
			c.Seen++
			if w.Replays() {
				c.Replayed++
			}
		}
	}
	return c
}

// quoted quotes a name for a shell, unless it has what cannot be shown.
func quoted(name string) string {
	if frame.Printable(name) != name {
		return "FILE"
	}
	return frame.Quoted(name)
}
