package main

import (
	"filippo.io/age"
	"github.com/rogpeppe/go-internal/testscript"
)

// agekeyCmd makes NAME.identity and NAME.recipient, as age-keygen -pq and age-keygen -y do.
func agekeyCmd(ts *testscript.TestScript, neg bool, args []string) {
	for _, name := range args {
		i, err := age.GenerateHybridIdentity()
		ts.Check(err)
		ts.Check(writeNew(ts.MkAbs(name+".identity"), []byte("# created: now\n# public key: shown by age-keygen -y\n"+i.String()+"\n"), 0o600))
		ts.Check(writeNew(ts.MkAbs(name+".recipient"), []byte(i.Recipient().String()+"\n"), 0o644))
	}
}
