package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/mod/sumdb/note"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/durable"
)

// rotate changes the log's key in two steps. The first makes the next key; while
// its file and its line in the policy are there, serve signs with both. The second
// retires the first key. Each can be repeated, after a crash too.
func rotate(ctx context.Context, e *frame.Env, args []string) error {
	var f folder
	fs := e.Flags()
	fs.StringVar(&f.dir, "dir", "", "`folder` of the log")
	finish := fs.Bool("finish", false, "retire the old key: serve then signs with the next one alone")
	origin := fs.String("origin", "", "make a key for the log of this `name`, which another operator runs, in a new folder")
	if err := parse(e, fs, args); err != nil {
		return err
	}
	switch {
	case f.dir == "":
		return frame.Usagef("-dir must be given")
	case *finish && *origin != "":
		return frame.Usagef("-finish and -origin do not go together")
	case *finish:
		return f.finishRotation(e)
	case *origin != "":
		return f.takeOver(e, *origin)
	}
	key, err := f.readKey(keyName)
	if err != nil {
		return err
	}
	if key == nil {
		return fmt.Errorf("%w; or name the log with -origin, to make the key of its new operator", f.missing(keyName, "the log's key"))
	}
	next, err := f.makeKey(key.signer.Name(), nextKeyName, nextVKeyName, nextPubName)
	if err != nil {
		return err
	}
	fmt.Fprintf(e.Stderr, `the next key is in %s; the log goes on with the old one until you have:
1. announced it: have the registrar log %s with trial logkey
2. added the line below to %s, behind the old key's, and given everyone that policy,
   and the witnesses the key, with a second -log:
     log %s
3. restarted triallog serve, which then signs with both
when everyone has the policy: triallog rotate -dir %s -finish, and restart triallog serve
`, f.path(nextKeyName), f.path(nextPubName), f.path(policyName), next.vkey, frame.Quoted(f.dir))
	fmt.Fprintln(e.Stdout, next.vkey)
	return nil
}

// makeKey makes a key, or completes one that was begun. The private key is
// durable before anyone is told of it.
func (f *folder) makeKey(origin, keyFile, vkeyFile, pubFile string) (*logKey, error) {
	key, err := f.readKey(keyFile)
	if err != nil {
		return nil, err
	}
	if key == nil {
		if key, err = newLogKey(origin); err != nil {
			return nil, err
		}
		if err := durable.ReplaceAlone(f.path(keyFile), []byte(key.text+"\n"), 0o600); err != nil {
			return nil, err
		}
	}
	if key.signer.Name() != origin {
		return nil, fmt.Errorf("%s is a key of the log %s, not of %s: take it away", f.path(keyFile), key.signer.Name(), origin)
	}
	err = durable.ReplaceAlone(f.path(vkeyFile), []byte(key.vkey+"\n"), 0o644)
	return key, errors.Join(err, durable.ReplaceAlone(f.path(pubFile), []byte(key.announcement()), 0o644))
}

// pubName is what a new operator's key is announced with.
const pubName = "log.pub"

// takeOver makes the key of a log's new operator.
func (f *folder) takeOver(e *frame.Env, origin string) error {
	if err := checkOrigin(origin); err != nil {
		return err
	}
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return frame.AsUsage(err)
	}
	// Only a folder in which this began, and nothing else, is gone on with.
	list, err := os.ReadDir(f.dir)
	if err != nil {
		return err
	}
	for _, file := range list {
		switch file.Name() {
		case keyName, keyName + ".tmp", vkeyName, vkeyName + ".tmp", pubName, pubName + ".tmp":
		default:
			return frame.Usagef("the folder %s is not empty: a new operator's key is made in a new one; without -origin the key of a "+
				"log that is run here is changed", f.dir)
		}
	}
	key, err := f.makeKey(origin, keyName, vkeyName, pubName)
	if err != nil {
		return err
	}
	fmt.Fprintf(e.Stderr, `the key is in %s; to take over the log %s:
1. announce it: have the registrar log %s with trial logkey, while the old operator still runs the log
2. put the log's policy in %s, with a second log line, which everyone needs, as the witnesses need the key:
     log %s
3. when the old operator has stopped for good: triallog restore -from URL -dir %s, with the URL of the log's tiles
`, f.path(keyName), origin, f.path(pubName), f.path(policyName), key.vkey, f.dir)
	fmt.Fprintln(e.Stdout, key.vkey)
	return nil
}

// finishRotation moves the next key into the old one's place. The rename of the
// next key is the commit point: before it the log has two keys, after it one.
func (f *folder) finishRotation(e *frame.Env) error {
	key, err := f.readKey(keyName)
	if err != nil {
		return err
	}
	if key == nil {
		return f.missing(keyName, "the log's key")
	}
	next, err := f.readKey(nextKeyName)
	if err != nil {
		return err
	}
	old, err := f.readKey(oldKeyName)
	if err != nil {
		return err
	}
	switch {
	case next == nil && old == nil:
		return fmt.Errorf("there is no next key in %s: triallog rotate -dir %s makes one", f.dir, frame.Quoted(f.dir))
	case next == nil:
		key, next = old, key // the rename is done: complete what follows it
	case old != nil && old.vkey != key.vkey:
		return fmt.Errorf("%s is of an earlier rotation: keep it elsewhere or destroy it, then finish this one", f.path(oldKeyName))
	default:
		if err := f.overlapped(next); err != nil {
			return err
		}
		if err := durable.ReplaceAlone(f.path(oldKeyName), []byte(key.text+"\n"), 0o600); err != nil {
			return err
		}
		if err := durable.ReplaceAlone(f.path(oldVKeyName), []byte(key.vkey+"\n"), 0o644); err != nil {
			return err
		}
		if err := durable.Rename(f.path(nextKeyName), f.path(keyName)); err != nil {
			return err
		}
	}
	if err := durable.ReplaceAlone(f.path(vkeyName), []byte(next.vkey+"\n"), 0o644); err != nil {
		return err
	}
	for _, name := range []string{nextVKeyName, nextPubName} {
		if err := durable.Remove(f.path(name)); err != nil {
			return err
		}
	}
	fmt.Fprintf(e.Stderr, `the old key %s is in %s: restart triallog serve, which then signs with the new one alone.
Its log line stays in every policy: what it signed is verified with it. Have the registrar retire it with trial logkey,
and destroy %s when you are sure.
`, key.vkey, f.path(oldKeyName), f.path(oldKeyName))
	fmt.Fprintln(e.Stdout, next.vkey)
	return nil
}

// overlapped asks that the log has signed with the next key beside the old one, so
// that whoever follows it could learn the key from checkpoints they could verify.
func (f *folder) overlapped(next *logKey) error {
	cfg, _, err := f.config()
	if err != nil {
		return err
	}
	if err := f.next(&cfg); err != nil {
		return err
	}
	signed, err := readOptional(f.path(checkpointName))
	if err != nil {
		return err
	}
	v, err := note.NewVerifier(next.vkey)
	if err != nil {
		return err
	}
	if _, err := note.Open(signed, note.VerifierList(v)); err != nil {
		return fmt.Errorf("%s does not carry the next key's signature: restart triallog serve, so that there is a time in which the "+
			"log signs with both", f.path(checkpointName))
	}
	return nil
}
