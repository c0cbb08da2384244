package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
	"unicode"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/logserver/engine"
	"github.com/trialproof/trialproof/trial"
)

func initLog(ctx context.Context, e *frame.Env, args []string) error {
	var f folder
	fs := e.Flags()
	f.flags(fs)
	origin := fs.String("origin", "", "the log's `name` for ever, such as log.example/trials")
	registrar := fs.String("registrar", "", "the registrar's .pub `file`, made elsewhere with trial keygen -org registrar")
	if err := parse(e, fs, args); err != nil {
		return err
	}
	if f.dir == "" || *origin == "" || *registrar == "" {
		return frame.Usagef("-dir, -origin and -registrar must be given")
	}
	if err := checkOrigin(*origin); err != nil {
		return err
	}
	data, err := os.ReadFile(*registrar)
	if err != nil {
		return frame.AsUsage(err)
	}
	reg, err := trial.ParseRequest(data)
	if err != nil {
		return frame.Usagef("%s: %w", *registrar, err)
	}
	if reg.Org != trial.RegistrarOrg {
		return frame.Usagef("%s is a key of %s: the registrar's is made with trial keygen -org registrar", *registrar, reg.Org)
	}
	vkey, err := f.create(ctx, *origin, reg.Key)
	if err != nil {
		return err
	}
	fmt.Fprintf(e.Stderr, "made the log %s in %s; next: list witnesses in %s, then triallog serve -dir %s%s%s\n",
		*origin, f.dir, f.path(policyName), frame.Quoted(f.dir), f.sameDatabase(), f.typedDatabase())
	fmt.Fprintln(e.Stdout, vkey)
	return nil
}

func checkOrigin(origin string) error {
	if strings.ContainsFunc(origin, unicode.IsSpace) || strings.ContainsRune(origin, '+') || len(origin) > 200 {
		return frame.Usagef("the origin %q must have neither spaces nor plus signs, and at most 200 bytes", origin)
	}
	return nil
}

// create makes the folder and everything in it. The folder must be absent or
// empty; what a failure leaves behind must be removed before another try.
func (f *folder) create(ctx context.Context, origin string, registrar trial.PublicKey) (vkey string, err error) {
	if list, err := os.ReadDir(f.dir); err == nil && len(list) > 0 {
		return "", frame.Usagef("the folder %s is not empty: a log is made in a new one", f.dir)
	} else if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", frame.AsUsage(err)
	}
	if f.mysql != "" { // a database that cannot be reached leaves nothing half made
		db, err := engine.OpenMySQL(ctx, f.mysql)
		if err != nil {
			return "", err
		}
		if err := db.Close(); err != nil {
			return "", err
		}
	}
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return "", frame.AsUsage(err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("%w (remove %s before another try)", err, f.dir)
		}
	}()
	key, err := newLogKey(origin)
	if err != nil {
		return "", err
	}
	genesis := trial.NewGenesis(origin, key.vkey, []trial.PublicKey{registrar}, trial.TimeOf(time.Now()))
	if _, err := genesis.Marshal(); err != nil {
		return "", frame.AsUsage(err)
	}
	for _, file := range []struct {
		name, text string
		perm       os.FileMode
	}{
		{keyName, key.text, 0o600},
		{vkeyName, key.vkey, 0o644},
		{policyName, "log " + key.vkey + "\n\n# A line for each witness, then how many must agree, such as:\n" +
			"#   witness w1 VKEY URL\n#   group g 2 w1 w2 w3\n#   quorum g\nquorum none", 0o644},
	} {
		if err := os.WriteFile(f.path(file.name), []byte(file.text+"\n"), file.perm); err != nil {
			return "", err
		}
	}
	s, err := f.open(ctx, true, nil)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	cfg, _, err := s.config(f)
	if err != nil {
		return "", err
	}
	return key.vkey, logserver.Create(ctx, cfg, genesis)
}
