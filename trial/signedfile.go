package trial

import (
	"crypto"
	"errors"
	"fmt"
)

// A signedFile is something that a key has signed and that is no statement: no log takes it.
// Its payload type says what it is, and is never that of statements.
type signedFile struct {
	Envelope Envelope  `json:"envelope"`
	Key      PublicKey `json:"key"`
}

// SignFile returns a file that shows that a key has signed a payload of a type.
func SignFile(payloadType string, payload []byte, signer crypto.Signer) ([]byte, error) {
	if payloadType == PayloadType {
		return nil, errors.New("a statement is not signed as a file")
	}
	env, key, err := sign(payloadType, payload, signer)
	if err != nil {
		return nil, err
	}
	return encode(signedFile{env, key})
}

// OpenFile returns the payload of a file that SignFile made, and the key that signed it. Whose
// key that is, only the log says.
func OpenFile(payloadType string, data []byte) (payload []byte, key PublicKey, err error) {
	var f signedFile
	if err := decode(data, &f); err != nil {
		return nil, key, err
	}
	env := f.Envelope
	if payloadType == PayloadType || env.PayloadType != payloadType || len(env.Signatures) != 1 || env.Signatures[0].KeyID != f.Key.ID() {
		return nil, key, fmt.Errorf("it is not of the type %s with one signature by its key", payloadType)
	}
	if payload, err = decodeB64(env.Payload); err != nil {
		return nil, key, fmt.Errorf("payload: %w", err)
	}
	sig, err := decodeB64(env.Signatures[0].Sig)
	if err != nil {
		return nil, key, fmt.Errorf("sig: %w", err)
	}
	if err := f.Key.Verify(preAuthOf(payloadType, payload), sig); err != nil {
		return nil, key, err
	}
	return payload, f.Key, nil
}
