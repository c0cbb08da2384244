package trialtest

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"testing"

	"filippo.io/mldsa"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/history"
	"github.com/trialproof/trialproof/trial/receipt"
	"github.com/trialproof/trialproof/trial/tile"
)

// A Log is a small log in memory: its entries, their state and their tree.
type Log struct {
	State  *trial.State
	Leaves [][]byte
	IDs    []trial.Hash // identity of the statement at each index, zero if there is none

	t      testing.TB
	hashes []tlog.Hash
	about  map[trial.RecordKey][]uint64 // the indexes of the entries about each record, in order
}

// NewLog returns a log that has its genesis and the state entry after it.
func NewLog(t testing.TB) *Log {
	t.Helper()
	l := &Log{State: new(trial.State), t: t, about: map[trial.RecordKey][]uint64{{Kind: "log", ID: Origin}: {0}}}
	raw, err := Genesis().Marshal()
	if err != nil {
		t.Fatal(err)
	}
	e, err := trial.ParseEntry(raw)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.State.Apply(e); err != nil {
		t.Fatal(err)
	}
	l.Append(raw)
	l.Close()
	return l
}

// Append adds any bytes after the log's entries, without changing the state.
func (l *Log) Append(raw []byte) {
	l.t.Helper()
	hashes, err := tlog.StoredHashes(int64(len(l.Leaves)), raw, l)
	if err != nil {
		l.t.Fatal(err)
	}
	l.hashes = append(l.hashes, hashes...)
	l.Leaves = append(l.Leaves, raw)
	l.IDs = append(l.IDs, trial.Hash{})
}

// Truncate drops the entries from size on, without changing the state.
func (l *Log) Truncate(size uint64) {
	l.Leaves, l.IDs = l.Leaves[:size], l.IDs[:size]
	l.hashes = l.hashes[:tlog.StoredHashIndex(0, int64(size))]
}

// ReadHashes implements tlog.HashReader.
func (l *Log) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	list := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		list[i] = l.hashes[x]
	}
	return list, nil
}

// Admit signs a statement by the person with a name and admits it.
func (l *Log) Admit(name string, p trial.Predicate, subjects []trial.Subject) *trial.Signed {
	l.t.Helper()
	s := Check(l.t, name, p, subjects)
	raw, about, err := l.State.Admit(s, l.State.Time()+1)
	if err != nil {
		l.t.Fatal(err)
	}
	for _, key := range about {
		l.about[key] = append(l.about[key], l.Size())
	}
	l.Append(raw)
	l.IDs[len(l.IDs)-1] = s.ID
	return s
}

// Close ends a tree with a state entry.
func (l *Log) Close() {
	l.t.Helper()
	raw, err := l.State.Close(max(l.State.Time(), Start))
	if err != nil {
		l.t.Fatal(err)
	}
	l.State.Commit()
	l.Append(raw)
}

// Size returns the number of entries.
func (l *Log) Size() uint64 { return uint64(len(l.Leaves)) }

// Tree returns the log's tree of a size.
func (l *Log) Tree(size uint64) checkpoint.Tree {
	l.t.Helper()
	root, err := tlog.TreeHash(int64(size), l)
	if err != nil {
		l.t.Fatal(err)
	}
	return checkpoint.Tree{Origin: Origin, Size: size, Root: root}
}

// Path returns the inclusion proof of an entry in the tree of a size.
func (l *Log) Path(index, size uint64) [][32]byte {
	l.t.Helper()
	p, err := tlog.ProveRecord(int64(size), int64(index), l)
	if err != nil {
		l.t.Fatal(err)
	}
	path := make([][32]byte, len(p))
	for i, h := range p {
		path[i] = h
	}
	return path
}

// Bundle returns an entry bundle of a width, as c2sp.org/tlog-tiles has it.
func (l *Log) Bundle(n uint64, width int) []byte {
	var b []byte
	for _, raw := range l.Leaves[n*tile.Width:][:width] {
		b = tile.Append(b, raw)
	}
	return b
}

// Receipt returns the receipt of the entry at index under a signed checkpoint of
// a size.
func (l *Log) Receipt(index, size uint64, checkpoint, openings []byte) []byte {
	l.t.Helper()
	r := receipt.Receipt{Entry: l.Leaves[index], Openings: openings, Index: index, Path: l.Path(index, size), Checkpoint: checkpoint}
	return r.Marshal()
}

// History returns the history of a record in the newest tree, as a server gives it, under a
// checkpoint that the log and the cosigners signed. The log must end with a state entry.
func (l *Log) History(key trial.RecordKey, cosigners ...note.Signer) *history.History {
	l.t.Helper()
	size := l.Size()
	entry := func(i uint64) history.Entry {
		return history.Entry{Index: i, Entry: string(l.Leaves[i]), Path: history.Strings(l.Path(i, size))}
	}
	h := &history.History{
		Kind: key.Kind, ID: key.ID, State: entry(size - 1), Map: history.NewMap(l.State.Prove(key)),
		Checkpoint: string(Checkpoint(l.t, l.Tree(size), append([]note.Signer{LogKey}, cosigners...)...)),
	}
	r := l.State.Record(key)
	if r == nil {
		return h
	}
	data, err := trial.MarshalRecord(r)
	if err != nil {
		l.t.Fatal(err)
	}
	h.Record = string(data)
	for _, i := range l.about[key] {
		h.Entries = append(h.Entries, entry(i))
	}
	return h
}

// A Cosigner signs checkpoints: it is a log's key, or a witness's at a time that the test
// chooses. Its key follows from Seed, or else from Key, and it signs the same text with the same
// signature every time.
type Cosigner struct {
	Key  string // the key name
	Alg  byte   // 0x01 signs as a log does; 0x04 and 0x06 cosign
	Time uint64 // POSIX seconds
	Seed string // the key's seed; Key if empty
}

func (c Cosigner) seed() [32]byte {
	if c.Seed != "" {
		return sha256.Sum256([]byte(c.Seed))
	}
	return sha256.Sum256([]byte(c.Key))
}

// public returns the algorithm byte and the public key.
func (c Cosigner) public() []byte {
	seed := c.seed()
	if c.Alg == 0x06 {
		return append([]byte{c.Alg}, c.mldsa().PublicKey().Bytes()...)
	}
	return append([]byte{c.Alg}, ed25519.NewKeyFromSeed(seed[:]).Public().(ed25519.PublicKey)...)
}

// VKey returns the verifier key.
func (c Cosigner) VKey() string {
	return fmt.Sprintf("%s+%08x+%s", c.Key, c.KeyHash(), base64.StdEncoding.EncodeToString(c.public()))
}

// Name implements note.Signer.
func (c Cosigner) Name() string { return c.Key }

// KeyHash implements note.Signer.
func (c Cosigner) KeyHash() uint32 {
	h := sha256.Sum256(append([]byte(c.Key+"\n"), c.public()...))
	return binary.BigEndian.Uint32(h[:])
}

// Sign implements note.Signer.
func (c Cosigner) Sign(text []byte) ([]byte, error) {
	seed := c.seed()
	key := ed25519.NewKeyFromSeed(seed[:])
	stamp := binary.BigEndian.AppendUint64(nil, c.Time)
	switch c.Alg {
	case 0x01:
		return ed25519.Sign(key, text), nil
	case 0x04:
		return append(stamp, ed25519.Sign(key, fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", c.Time, text))...), nil
	}
	t, err := checkpoint.ParseTree(string(text))
	if err != nil {
		return nil, err
	}
	sig, err := c.mldsa().SignDeterministic(c.cosigned(t), nil)
	return append(stamp, sig...), err
}

// cosigned returns what a cosignature of type 0x06 is over: the cosigned_message of
// c2sp.org/tlog-cosignature.
func (c Cosigner) cosigned(t checkpoint.Tree) []byte {
	b := append([]byte("subtree/v1\n\x00"), byte(len(c.Key)))
	b = binary.BigEndian.AppendUint64(append(b, c.Key...), c.Time)
	b = append(append(b, byte(len(t.Origin))), t.Origin...)
	b = binary.BigEndian.AppendUint64(b, 0)
	b = binary.BigEndian.AppendUint64(b, t.Size)
	return append(b, t.Root[:]...)
}

func (c Cosigner) mldsa() *mldsa.PrivateKey {
	seed := c.seed()
	key, err := mldsa.NewPrivateKey(mldsa.MLDSA44(), seed[:])
	if err != nil {
		panic(err)
	}
	return key
}

// Checkpoint returns the text of a tree's checkpoint, signed by each signer.
func Checkpoint(t testing.TB, tree checkpoint.Tree, signers ...note.Signer) []byte {
	t.Helper()
	signed, err := note.Sign(&note.Note{Text: tree.String()}, signers...)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Clone(signed)
}
