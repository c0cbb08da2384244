package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"flag"
	"fmt"
	"strconv"
	"strings"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
)

// This file has what a registrar says, other than that organisations exist.

func ruling(ctx context.Context, e *env, args []string) error {
	var r remote
	var how sending
	var typed, ground string
	rest, err := r.begin(e, args, true, func(fs *flag.FlagSet) {
		how.flags(fs)
		fs.StringVar(&typed, "trial", "", "`id` of the trial that the number belongs to")
		fs.StringVar(&ground, "ground", "registry-confirmed", "the `ground`: "+strings.Join(trial.Grounds, ", "))
	})
	if err != nil {
		return err
	}
	id, err := trial.ParseHash(typed)
	if err != nil || len(rest) != 1 {
		return frame.Usagef("-trial with a trial's id and one disputed number must be given")
	}
	number, err := trial.ParseIdentifier(rest[0])
	if err != nil {
		return frame.AsUsage(err)
	}
	var o trial.Openings
	p := &trial.Ruling{Common: r.common("responsibility", &o), Ground: ground, Identifier: number, Trial: id}
	return r.say(ctx, e, how, p, trial.NamedSubject("trial", id), &o)
}

// logKey announces a key that signs the log's checkpoints, or that one does no
// longer.
func logKey(ctx context.Context, e *env, args []string) error {
	var r remote
	var how sending
	var retire string
	rest, err := r.begin(e, args, true, func(fs *flag.FlagSet) {
		how.flags(fs)
		fs.StringVar(&retire, "retire", "", "say that the key with this `vkey` signs no longer")
	})
	if err != nil {
		return err
	}
	if len(rest) > 1 || (len(rest) == 1) == (retire != "") {
		return frame.Usagef("the log.next.pub file that triallog rotate makes, or -retire VKEY, must be given")
	}
	var o trial.Openings
	k := &trial.LogKey{Common: r.common("responsibility", &o), Action: "retire", VKey: retire}
	if retire == "" {
		text, err := readSmall(rest[0])
		if err != nil {
			return err
		}
		m := trial.Members(string(text))
		if m["log"] != r.log.Name() {
			return frame.Usagef("%s is for the log %q, the policy is of %q", rest[0], m["log"], r.log.Name())
		}
		k.Action, k.VKey, k.Proof = "add", m["vkey"], m["proof"]
	}
	return r.say(ctx, e, how, k, trial.NamedSubject("logkey", sha256.Sum256([]byte(k.VKey))), &o)
}

// rules announces another rule set.
func rules(ctx context.Context, e *env, args []string) error {
	var r remote
	var how sending
	p := new(trial.Rules)
	rest, err := r.begin(e, args, true, func(fs *flag.FlagSet) {
		how.flags(fs)
		fs.IntVar(&p.Set, "set", 0, "`number` of the rule set")
		fs.Uint64Var(&p.From, "from", 0, "`index` of the first entry that it judges")
	})
	if err != nil {
		return err
	}
	if len(rest) > 0 || p.Set == 0 || p.From == 0 {
		return frame.Usagef("-set and -from must be given")
	}
	var o trial.Openings
	p.Common = r.common("responsibility", &o)
	return r.say(ctx, e, how, p, trial.NamedSubject("rules", sha256.Sum256([]byte(strconv.Itoa(p.Set)))), &o)
}

// publishPolicy announces a policy, cosigned under the one before.
func publishPolicy(ctx context.Context, e *env, args []string) error {
	var r remote
	var how sending
	rest, err := r.begin(e, args, true, how.flags)
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return frame.Usagef("the new policy file must be given")
	}
	text, err := readSmall(rest[0])
	if err != nil {
		return err
	}
	next, err := checkpoint.ParsePolicy(text)
	if err != nil {
		return frame.Usagef("%s: %w", rest[0], err)
	}
	if next.Log(r.log.Name()) == nil {
		return frame.Usagef("%s names no key of the log %s", rest[0], r.log.Name())
	}
	v, err := r.history(ctx, trial.RecordKey{Kind: "log", ID: r.log.Name()}, 0)
	if err != nil {
		return err
	}
	var o trial.Openings
	p := &trial.Policy{Common: r.common("responsibility", &o), Policy: base64.StdEncoding.EncodeToString(text)}
	if rec, ok := v.Record.(*trial.LogRecord); ok && len(rec.Policies) > 0 {
		p.Previous = rec.Policies[len(rec.Policies)-1].Digest
	}
	digest := sha256.Sum256(text)
	st := &trial.Statement{Subjects: trial.NamedSubject("policy", digest), Predicate: p}
	id, err := r.send(ctx, e, how, st, &o, []file{{name: rest[0], digest: digest}})
	if err != nil || how.dry {
		return err
	}
	fmt.Fprintln(e.Stdout, id)
	return nil
}
