package api

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/trialproof/trialproof/api/trialpb"
	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/history"
	"github.com/trialproof/trialproof/trial/receipt"
)

// This file converts between the application's types and those of the wire.

// A wireEnvelope is the JSON of a DSSE envelope, with members in canonical order. All of them
// are texts, so that an encoding that package trial refuses reaches it as it was sent.
type wireEnvelope struct {
	Payload     string          `json:"payload"`
	PayloadType string          `json:"payloadType"`
	Signatures  []wireSignature `json:"signatures"`
}

type wireSignature struct {
	KeyID string `json:"keyid"`
	Sig   string `json:"sig"`
}

func (e wireEnvelope) marshal() []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.Encode(e) // only texts, which always encode
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'})
}

func malformed(format string, args ...any) error {
	return &trial.Refusal{Rule: trial.RuleMalformed, Detail: fmt.Sprintf(format, args...)}
}

// fromSubmit returns the canonical envelope and the DER key of a request. Every error is a
// refusal.
func fromSubmit(req *trialpb.SubmitRequest) (envelope, key []byte, err error) {
	unknown := len(req.ProtoReflect().GetUnknown()) + len(req.GetEnvelope().ProtoReflect().GetUnknown())
	var e wireEnvelope
	e.Payload, e.PayloadType = req.GetEnvelope().GetPayload(), req.GetEnvelope().GetPayloadType()
	for _, s := range req.GetEnvelope().GetSignatures() {
		unknown += len(s.ProtoReflect().GetUnknown())
		e.Signatures = append(e.Signatures, wireSignature{s.GetKeyid(), s.GetSig()})
	}
	if unknown > 0 {
		return nil, nil, malformed("the request has fields that trialproof.proto does not know")
	}
	if key, err = decodeKey(req.GetKey()); err != nil {
		return nil, nil, err
	}
	return e.marshal(), key, nil
}

// decodeKey decodes standard base64 in its canonical encoding.
func decodeKey(s string) ([]byte, error) {
	key, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || base64.StdEncoding.EncodedLen(len(key)) != len(s) { // the decoder skips line breaks
		return nil, malformed("key: not standard base64")
	}
	return key, nil
}

// toPending returns the receipt of a statement that waits for the witnesses.
func toPending(id trial.Hash) *trialpb.Receipt { return &trialpb.Receipt{Id: id.String()} }

func toReceipt(id trial.Hash, index uint64, text []byte) *trialpb.Receipt {
	s := string(text)
	return &trialpb.Receipt{Id: id.String(), Index: &index, Receipt: &s}
}

// parseReceipt does what toReceipt does if the index is not at hand.
func parseReceipt(id trial.Hash, text []byte) (*trialpb.Receipt, error) {
	r, err := receipt.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("receipt of %s: %w", id, err)
	}
	return toReceipt(id, r.Index, text), nil
}

func toEntry(index uint64, raw []byte) *trialpb.Entry {
	return &trialpb.Entry{Index: index, Entry: string(raw)}
}

func toProvedEntry(index uint64, raw, checkpoint []byte, path [][32]byte) *trialpb.ProvedEntry {
	e := &trialpb.ProvedEntry{Index: index, Entry: string(raw), Checkpoint: string(checkpoint)}
	for _, h := range path {
		e.Proof = append(e.Proof, h[:])
	}
	return e
}

// maxPage bounds the bytes of entries in one answer: gRPC clients accept 4 MiB.
const maxPage = 2 << 20

// toEntries returns a page of the entries below size: all of them, or as many of the first as
// fit.
func toEntries(list []logserver.Located, size uint64) *trialpb.Entries {
	page := &trialpb.Entries{Size: size}
	bytes := 0
	for i, e := range list {
		bytes += len(e.Raw)
		if e.Index >= size || i > 0 && bytes > maxPage {
			break
		}
		page.Entries = append(page.Entries, toEntry(e.Index, e.Raw))
	}
	return page
}

func toHistory(key trial.RecordKey, h logserver.History) *trialpb.History {
	m := history.NewMap(h.Proof)
	out := &trialpb.History{
		Kind: key.Kind, Id: key.ID, Checkpoint: string(h.Checkpoint), State: toHistoryEntry(h.State),
		Map: &trialpb.MapProof{Siblings: m.Siblings, Key: m.Key, Value: m.Value}, Record: string(h.Record),
	}
	for _, e := range h.Entries {
		out.Entries = append(out.Entries, toHistoryEntry(e))
	}
	return out
}

func toHistoryEntry(e logserver.Proved) *trialpb.HistoryEntry {
	return &trialpb.HistoryEntry{Index: e.Index, Entry: string(e.Raw), Path: history.Strings(e.Path)}
}
