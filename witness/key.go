package witness

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"filippo.io/mldsa"
)

// An Algorithm is the signature type byte of c2sp.org/signed-note.
type Algorithm byte

// SPEC: Witnesses SHOULD use ML-DSA-44 cosignatures. Ed25519 is what most of
// those who verify them understand today.
const (
	Ed25519 Algorithm = 0x04
	MLDSA44 Algorithm = 0x06
)

const replaySuffix = "/replay"

// A Key is a witness's signing key and the folder that it is bound to. The methods may be
// called concurrently.
//
// The key file has one or two lines; the second one is there from the first use on:
//
//	PRIVATE+KEY+witness.example/w1+8ca6cf3c+BNTZc...
//	folder 5d0c0f5e2c1bb1a6f1ad7d3fd5c3a6a2
type Key struct {
	name string
	alg  Algorithm
	id   uint32
	seed []byte
	ed   ed25519.PrivateKey // if alg is Ed25519
	ml   *mldsa.PrivateKey  // if alg is MLDSA44
	path string             // of the file that it was read from or saved to, "" if there is none

	mu     sync.Mutex // guards folder and the key file
	folder string     // id of the folder that it was used with, "" if it was never used
}

// NewKey makes a key that was never used. A name should be a URL without its
// scheme; one that ends in "/replay" promises that the witness replays entries.
func NewKey(name string, alg Algorithm) (*Key, error) {
	seed := make([]byte, 32)
	rand.Read(seed)
	return newKey(name, alg, seed)
}

func newKey(name string, alg Algorithm, seed []byte) (*Key, error) {
	// SPEC: opaque cosigner_name<1..2^8-1>
	if !validName(name) || len(name) > 255 {
		return nil, fmt.Errorf("key name %q: use 1 to 255 bytes without spaces and plus signs, such as witness.example/w1", clip(name))
	}
	if len(seed) != 32 {
		return nil, errors.New("malformed key: the secret is not 32 bytes")
	}
	k := &Key{name: name, alg: alg, seed: seed}
	switch alg {
	case Ed25519:
		k.ed = ed25519.NewKeyFromSeed(seed)
	case MLDSA44:
		var err error
		if k.ml, err = mldsa.NewPrivateKey(mldsa.MLDSA44(), seed); err != nil {
			return nil, fmt.Errorf("malformed key: %w", err)
		}
	default:
		return nil, fmt.Errorf("key type 0x%02x is not one that a witness signs with: use 0x04 or 0x06", byte(alg))
	}
	k.id = keyID(name, k.public())
	return k, nil
}

// ParseKey parses the text of a key file.
func ParseKey(text []byte) (*Key, error) {
	bad := errors.New("malformed key: want a file made by `trialwitness keygen`")
	switch {
	case len(text) == 0:
		return nil, errors.New("the key file is empty, as a copy that failed leaves it: put its backup in its place")
	case strings.HasPrefix(string(text), "\xef\xbb\xbf"), strings.Contains(string(text), "\r\n"):
		return nil, errors.New("the key file has CRLF line ends or a byte order mark (BOM), which an editor put there: " +
			"put its backup in its place, or save it as UTF-8 without BOM and with LF line ends")
	}
	line, rest, _ := strings.Cut(string(text), "\n")
	fields := strings.SplitN(line, "+", 5)
	if len(fields) != 5 || fields[0] != "PRIVATE" || fields[1] != "KEY" {
		return nil, bad
	}
	raw, err := strict64.DecodeString(fields[4])
	if err != nil || len(raw) != 33 {
		return nil, bad
	}
	k, err := newKey(fields[2], Algorithm(raw[0]), raw[1:])
	if err != nil {
		return nil, err
	}
	if fields[3] != fmt.Sprintf("%08x", k.id) {
		return nil, errors.New("malformed key: its key ID does not match its name and secret")
	}
	if rest != "" {
		id, ok := strings.CutPrefix(strings.TrimSuffix(rest, "\n"), "folder ")
		if raw, err := hex.DecodeString(id); !ok || err != nil || len(raw) != folderIDSize {
			return nil, bad
		}
		k.folder = id
	}
	return k, nil
}

// ReadKey reads a key file. Open will write to that file when it uses the key
// for the first time.
func ReadKey(path string) (*Key, error) {
	path, err := filepath.EvalSymlinks(path) // a rename would replace the link
	if err != nil {
		return nil, fmt.Errorf("read key: %w: make one by `trialwitness keygen`", err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	k, err := ParseKey(text)
	if err != nil {
		return nil, fmt.Errorf("read key %s: %w", path, err)
	}
	k.path = path
	return k, nil
}

// Save writes a new key file that only its owner can read. It is durable when Save returns.
// Save never overwrites a file.
func (k *Key) Save(path string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("save key: %s exists and is never overwritten: name another file", path)
	}
	if err != nil {
		return fmt.Errorf("save key: %w", err)
	}
	_, err = f.WriteString(k.text())
	if err := errors.Join(err, f.Sync(), f.Close(), syncParent(machine{}, path)); err != nil {
		os.Remove(path) // it is ours, because O_EXCL made it
		return fmt.Errorf("save key: %w", err)
	}
	k.path = path
	return nil
}

// text returns the text of the key file; k.mu is held.
func (k *Key) text() string {
	s := fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s\n", k.name, k.id, strict64.EncodeToString(append([]byte{byte(k.alg)}, k.seed...)))
	if k.folder != "" {
		s += "folder " + k.folder + "\n"
	}
	return s
}

// Name returns the key's name, which is the witness's.
func (k *Key) Name() string { return k.name }

// Replays reports whether the key's name promises that entries are replayed.
func (k *Key) Replays() bool { return strings.HasSuffix(k.name, replaySuffix) }

// VKey returns the public key in the form of c2sp.org/signed-note.
func (k *Key) VKey() string {
	return fmt.Sprintf("%s+%08x+%s", k.name, k.id, strict64.EncodeToString(k.public()))
}

// BastionKey returns the key by which a bastion knows this witness. It is not the key that the
// witness cosigns with, but is made from the same secret, so it is always the same and need not
// be kept.
//
// SPEC: Transparency log witnesses MAY choose to reuse the witness key as their bastion backend
// key. (However, note this is not necessary and generating a separate bastion backend key is
// preferable.)
//
// litewitness reuses its key. An ML-DSA-44 key could not be reused, because bastions know only
// Ed25519 keys.
func (k *Key) BastionKey() (ed25519.PrivateKey, error) {
	seed, err := hkdf.Key(sha256.New, k.seed, nil, "trialproof witness: bastion key", ed25519.SeedSize)
	if err != nil {
		return nil, fmt.Errorf("derive the key for the bastion: %w", err)
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// public returns the type byte and the public key.
func (k *Key) public() []byte {
	if k.alg == MLDSA44 {
		return append([]byte{byte(k.alg)}, k.ml.PublicKey().Bytes()...)
	}
	return append([]byte{byte(k.alg)}, k.ed.Public().(ed25519.PublicKey)...)
}

// SPEC: SHA-256(<name> || "\n" || 0x04 || 32-byte Ed25519 cosigner public key)[:4]
func keyID(name string, public []byte) uint32 {
	sum := sha256.Sum256(append([]byte(name+"\n"), public...))
	return binary.BigEndian.Uint32(sum[:])
}
