package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
)

// A logKey is one of the log's keys: Ed25519, under the origin as its name.
type logKey struct {
	signer  note.Signer
	private ed25519.PrivateKey
	text    string // as package note writes it
	vkey    string
}

func newLogKey(origin string) (*logKey, error) {
	text, _, err := note.GenerateKey(rand.Reader, origin)
	if err != nil {
		return nil, err
	}
	return parseLogKey(text)
}

func parseLogKey(text string) (*logKey, error) {
	signer, err := note.NewSigner(text)
	if err != nil {
		return nil, err
	}
	// PRIVATE+KEY+NAME+ID+BASE64, of the type's byte and the seed: NewSigner has
	// looked at it, and knows no other type.
	fields := strings.SplitN(text, "+", 5)
	raw, err := base64.StdEncoding.DecodeString(fields[4])
	if err != nil || len(raw) != 1+ed25519.SeedSize {
		return nil, errors.New("malformed signer id")
	}
	k := &logKey{signer: signer, text: text, private: ed25519.NewKeyFromSeed(raw[1:])}
	k.vkey, err = note.NewEd25519VerifierKey(signer.Name(), k.private.Public().(ed25519.PublicKey))
	return k, err
}

// announcement is what the registrar is given to announce the key with: that the
// key itself has signed that it is to be the log's shows that someone holds it.
func (k *logKey) announcement() string {
	origin := k.signer.Name()
	proof := ed25519.Sign(k.private, trial.LogKeyMessage(origin, k.vkey))
	return fmt.Sprintf("trialproof log key\nlog: %s\nvkey: %s\nproof: %s\n", origin, k.vkey, base64.StdEncoding.EncodeToString(proof))
}

// readKey reads a key of the folder; nil if the file is not there.
func (f *folder) readKey(name string) (*logKey, error) {
	text, err := readOptional(f.path(name))
	if text == nil || err != nil {
		return nil, err
	}
	switch {
	case len(trimLine(text)) == 0:
		return nil, fmt.Errorf("%s is empty, as a copy that failed leaves it: put the log's key in its place, from the backup",
			f.path(name))
	case bytes.HasPrefix(text, []byte("\xef\xbb\xbf")):
		return nil, fmt.Errorf("%s begins with a byte order mark (BOM), which an editor put there: put the backup in its place, or "+
			"save it as UTF-8 without BOM", f.path(name))
	}
	k, err := parseLogKey(string(trimLine(text)))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.path(name), err)
	}
	return k, nil
}

// config is what logserver needs of the folder's files: key, policy and the copy
// of the newest checkpoint. They, and nothing else, belong in a backup.
func (f *folder) config() (cfg logserver.Config, policy []byte, err error) {
	key, err := f.readKey(keyName)
	if err != nil {
		return cfg, nil, err
	}
	if key == nil {
		return cfg, nil, f.missing(keyName, "the log's key")
	}
	vkey, err := readOptional(f.path(vkeyName))
	switch {
	case err != nil:
		return cfg, nil, err
	case vkey == nil:
		return cfg, nil, f.missing(vkeyName, fmt.Sprintf("the log's verifier key, which is the line %s", key.vkey))
	case len(trimLine(vkey)) == 0:
		return cfg, nil, fmt.Errorf("%s is empty: it is the line %s", f.path(vkeyName), key.vkey)
	case string(trimLine(vkey)) != key.vkey:
		return cfg, nil, fmt.Errorf("%s is not the verifier key of %s, which is %s: if a rotation was interrupted, run triallog rotate "+
			"-dir %s -finish again",
			f.path(vkeyName), f.path(keyName), key.vkey, frame.Quoted(f.dir))
	}
	if policy, err = readOptional(f.path(policyName)); err != nil {
		return cfg, nil, err
	}
	if policy == nil {
		return cfg, nil, f.missing(policyName, "the policy, with a log line for each of the log's keys, the witnesses and the quorum")
	}
	cfg = logserver.Config{Signer: key.signer, CheckpointFile: f.path(checkpointName)}
	if cfg.Policy, err = checkpoint.ParsePolicy(policy); err != nil {
		return cfg, nil, fmt.Errorf("%s: %w", f.path(policyName), err)
	}
	return cfg, policy, f.named(cfg.Policy, key)
}

// errNextUnnamed is of a next key that the policy does not have yet.
var errNextUnnamed = errors.New("the next key is not used yet")

// next adds the key to come, if the folder has one: from then on each checkpoint
// carries its signature too, so everyone's policy must have its line.
func (f *folder) next(cfg *logserver.Config) error {
	key, err := f.readKey(nextKeyName)
	if key == nil || err != nil {
		return err
	}
	if err := f.named(cfg.Policy, key); err != nil {
		return fmt.Errorf("%w: %w, or take %s away if it is not to be the log's next key", errNextUnnamed, err, f.path(nextKeyName))
	}
	cfg.Next = key.signer
	return nil
}

func (f *folder) missing(name, what string) error {
	return fmt.Errorf("%s is missing: put %s there, from the backup of the log's folder", f.path(name), what)
}

// named asks that the policy has the key's line.
func (f *folder) named(p *checkpoint.Policy, key *logKey) error {
	for _, l := range p.Logs {
		if l.VKey == key.vkey {
			return nil
		}
	}
	return fmt.Errorf("%s: it has no line for this log's key: add `log %s`", f.path(policyName), key.vkey)
}

// witnessed asks that a policy without witnesses is meant so.
func (f *folder) witnessed(p *checkpoint.Policy, unwitnessed bool) error {
	if p.Unwitnessed() && !unwitnessed {
		return frame.Usagef("%s asks for no witness: name witnesses and a quorum there, or add -unwitnessed, and every receipt says "+
			"that it is the operator's word alone", f.path(policyName))
	}
	if !p.Unwitnessed() && unwitnessed {
		return frame.Usagef("%s asks for %s: -unwitnessed would have no effect", f.path(policyName), p.QuorumText())
	}
	return nil
}

func readOptional(name string) ([]byte, error) {
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return data, err
}

func trimLine(b []byte) []byte { return bytes.TrimRight(b, "\r\n") }
