package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/durable"
	"github.com/trialproof/trialproof/trial"
)

const (
	quickstartOrigin = "quickstart.example/trials"
	quickstartListen = "127.0.0.1:8080"
)

// quickstart makes all that a first submission needs, in one folder on one machine, and
// serves it. The next time it goes on with what is there.
func quickstart(ctx context.Context, e *frame.Env, args []string) error {
	fs := e.Flags()
	dir := fs.String("dir", "", "`folder` for everything: a new one, or one that quickstart has made")
	listen := fs.String("listen", quickstartListen, "`address` of the log, on this machine; the witnesses listen on the three ports "+
		"after it")
	if err := parse(e, fs, args); err != nil {
		return err
	}
	if *dir == "" {
		return frame.Usagef("-dir must be given")
	}
	whole, err := filepath.Abs(*dir) // the commands that are suggested run in any folder
	if err != nil {
		return frame.AsUsage(err)
	}
	s := &stand{dir: whole, origin: quickstartOrigin, log: folder{dir: filepath.Join(whole, "log")}}
	s.listen = *listen
	begin := s.begin
	if _, err := os.Stat(s.path(policyName)); err == nil {
		if given(fs, "listen") {
			return frame.Usagef("%s was made with the addresses that its policy names: leave -listen out, or name another folder", *dir)
		}
		begin = s.resume
	} else if list, err := os.ReadDir(s.dir); err == nil && len(list) > 0 {
		return frame.Usagef("the folder %s is not empty, and no quickstart was made in it: name a new one", *dir)
	}
	fmt.Fprintf(e.Stderr, "This makes, or goes on with, a log, three witnesses and a registrar's key in %s. It takes some seconds.\n",
		s.dir)
	err = begin(ctx)
	if err == nil {
		fmt.Fprint(e.Stderr, s.welcome())
		fmt.Fprintf(e.Stderr, "triallog: %s listening on %s\n", s.origin, s.server.url)
		err = s.wait(ctx)
	}
	return errors.Join(err, s.end())
}

// given reports whether a flag was typed.
func given(fs *flag.FlagSet, name string) (typed bool) {
	fs.Visit(func(f *flag.Flag) { typed = typed || f.Name == name })
	return typed
}

// begin makes everything and starts it. The policy of the folder is written last. What a
// failure would leave half made is removed: the folder was empty.
func (s *stand) begin(ctx context.Context) (err error) {
	addresses, err := ports(s.listen)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return frame.AsUsage(err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.end(), os.RemoveAll(s.dir))
			s.server, s.witnesses = nil, nil
		}
	}()
	signer, registrar, err := s.makeRegistrar()
	if err != nil {
		return err
	}
	if err := s.make(ctx, registrar); err != nil {
		return err
	}
	var witnesses []*standWitness
	var urls []string
	for i, address := range addresses[1:] {
		w, err := s.makeWitness(i+1, fmt.Sprintf("w%d.example/replay", i+1), address)
		if err != nil {
			return err
		}
		at, err := s.startWitness(ctx, w)
		if err != nil {
			return err
		}
		witnesses, urls = append(witnesses, w), append(urls, at)
	}
	if err := s.setPolicy("http://"+addresses[0], witnesses, urls); err != nil {
		return err
	}
	relay, err := s.makeRelay()
	if err != nil {
		return err
	}
	if err := s.serve(ctx); err != nil {
		return err
	}
	if _, err := s.announce(ctx, signer); err != nil {
		return err
	}
	if _, err := s.enrolRelay(ctx, signer, relay); err != nil {
		return err
	}
	return durable.ReplaceAlone(s.path(policyName), s.policyText, 0o644)
}

// resume starts again what begin has made, at the addresses that the policy names.
func (s *stand) resume(ctx context.Context) error {
	if err := s.readPolicy(); err != nil {
		return err
	}
	text, err := os.ReadFile(s.log.path(vkeyName))
	if err != nil {
		return err
	}
	s.vkey = string(trimLine(text))
	l := s.policy.Log(s.origin)
	if l == nil || len(s.policy.Witnesses) == 0 {
		return frame.Usagef("the policy of %s is none that quickstart wrote: run its log with triallog serve -dir %s",
			s.dir, frame.Quoted(s.log.dir))
	}
	if s.listen, err = hostOf(l.URL); err != nil { // the witnesses read the log there
		return err
	}
	for _, w := range s.policy.Witnesses {
		address, err := hostOf(w.URL)
		if err != nil {
			return err
		}
		again := &standWitness{name: w.Name(), keyFile: s.path(w.Label + ".key"), dir: s.path(w.Label), listen: address}
		if _, err := s.startWitness(ctx, again); err != nil {
			return err
		}
	}
	return s.serve(ctx)
}

func hostOf(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", frame.AsUsage(err)
	}
	return u.Host, nil
}

// ports returns the address of the log and those of its three witnesses, after seeing that
// nothing listens there.
func ports(listen string) ([]string, error) {
	host, text, err := net.SplitHostPort(listen)
	first, perr := strconv.ParseUint(text, 10, 16)
	if err := errors.Join(err, perr); err != nil || first == 0 || first > 65532 {
		return nil, frame.Usagef("-listen %s is no address with a port, such as %s", listen, quickstartListen)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, frame.Usagef("-listen %s: a quickstart serves this machine alone, at an address such as %s", listen, quickstartListen)
	}
	var addresses []string
	for port := first; port < first+4; port++ {
		address := net.JoinHostPort(host, strconv.FormatUint(port, 10))
		l, err := net.Listen("tcp", address)
		if err != nil {
			return nil, frame.Usagef("%s cannot be listened on: %w; name another with -listen (the three ports after it are the "+
				"witnesses')",
				address, err)
		}
		l.Close()
		addresses = append(addresses, address)
	}
	return addresses, nil
}

// makeRegistrar makes the files of the registrar's key, as trial keygen makes them.
func (s *stand) makeRegistrar() (ed25519.PrivateKey, trial.PublicKey, error) {
	_, signer, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, trial.PublicKey{}, err
	}
	enrolment, err := trial.NewEnrolment(trial.RegistrarOrg, signer)
	if err != nil {
		return nil, trial.PublicKey{}, err
	}
	r := trial.Request{Name: "Quickstart Registrar", Org: trial.RegistrarOrg, Enrolment: enrolment}
	request, err := r.Marshal()
	if err != nil {
		return nil, trial.PublicKey{}, err
	}
	key, err := keyFileText(r.Name, r.Org, signer)
	if err != nil {
		return nil, trial.PublicKey{}, err
	}
	return signer, enrolment.Key, errors.Join(
		durable.ReplaceAlone(s.path("registrar.key"), key, 0o600), durable.ReplaceAlone(s.path("registrar.pub"), request, 0o644))
}

// welcome says what is there, and what to type to the first receipt that verifies.
func (s *stand) welcome() string {
	policy, registrar := frame.Quoted(s.path(policyName)), frame.Quoted(s.path("registrar.key"))
	return fmt.Sprintf(`The log %[1]s and three witnesses serve until you press Ctrl-C. Type, in another terminal:

  trial keygen -name "Ada Lovelace" -org example-pharma -out ada
  trial org -policy %[2]s -key %[3]s -id example-pharma -name "Example Pharma" ada.pub
  trial register -policy %[2]s -key ada.key -number EXP-2026-01
  echo "the protocol" > protocol.txt
  trial submit -policy %[2]s -key ada.key -trial sponsor:example-pharma/EXP-2026-01 -kind protocol -version 1.0 protocol.txt
  trial verify -policy %[2]s protocol.txt

or open %[4]s in a browser. The same command as now goes on with this log the next time.
This is for trying out: you hold the keys of the log, of its witnesses and of the registrar, so a receipt proves nothing
to others. docs/setup.md says how a log is set up whose receipts do.
`, s.origin, policy, registrar, s.server.url)
}
