package witness

import (
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"filippo.io/mldsa"
)

// cosign returns the cosignature line for a checkpoint, stamped with a time in seconds of the
// POSIX epoch. The libraries' signers stamp by the clock of the process, which could go back;
// the record must not.
func (k *Key) cosign(cp *checkpoint, time int64) (string, error) {
	// SPEC: The cosignature MUST NOT omit the timestamp, i.e. the timestamp
	// MUST NOT be zero.
	if time <= 0 {
		return "", errors.New("cosign: the clock says 1970 or earlier: set it")
	}
	// SPEC: struct { u64 timestamp; opaque signature[] } timestamped_signature
	sig := binary.BigEndian.AppendUint64(nil, uint64(time))
	if k.alg == Ed25519 {
		sig = append(sig, ed25519.Sign(k.ed, ed25519Message(cp, uint64(time)))...)
		return formatSigLine(k.name, k.id, sig), nil
	}
	msg, err := mldsaMessage(k.name, cp, uint64(time))
	if err != nil {
		return "", err
	}
	s, err := k.ml.Sign(nil, msg, nil)
	if err != nil {
		return "", fmt.Errorf("cosign: %w", err)
	}
	return formatSigLine(k.name, k.id, append(sig, s...)), nil
}

// cosigned finds the key's own valid cosignature on a checkpoint and returns its line and time.
func (k *Key) cosigned(cp *checkpoint) (line string, time int64, ok bool) {
	for _, s := range cp.sigs {
		if s.name != k.name || s.id != k.id {
			continue
		}
		if k.alg == Ed25519 {
			ok = len(s.sig) == 8+ed25519.SignatureSize && ed25519.Verify(k.ed.Public().(ed25519.PublicKey),
				ed25519Message(cp, binary.BigEndian.Uint64(s.sig)), s.sig[8:])
		} else {
			ok = verifyMLDSA(k.ml.PublicKey(), k.name, cp, s.sig)
		}
		if ok {
			return s.line, int64(binary.BigEndian.Uint64(s.sig)), true
		}
	}
	return "", 0, false
}

// fits reports whether the key can cosign checkpoints of an origin.
func (k *Key) fits(origin string) error {
	_, err := mldsaMessage(k.name, &checkpoint{origin: origin}, 1)
	if k.alg == MLDSA44 {
		return err
	}
	return nil
}

// SPEC: The signed message MUST be two newline (U+000A) terminated lines (one
// header line and one timestamp line) followed by the whole note body of the
// cosigned checkpoint.
func ed25519Message(cp *checkpoint, time uint64) []byte {
	return fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", time, cp.text)
}

// SPEC:
//
//	struct {
//	    uint8 label[12] = "subtree/v1\n\0";
//	    opaque cosigner_name<1..2^8-1>;
//	    uint64 timestamp;
//	    opaque log_origin<1..2^8-1>;
//	    uint64 start;
//	    uint64 end;
//	    uint8 hash[32];
//	} cosigned_message;
//
// If signing a checkpoint, start is zero and end is the size of the tree.
func mldsaMessage(name string, cp *checkpoint, time uint64) ([]byte, error) {
	if len(name) == 0 || len(name) > 255 || len(cp.origin) == 0 || len(cp.origin) > 255 {
		return nil, fmt.Errorf("ML-DSA-44 signs names and origins of at most 255 bytes: %q is longer", clip(name+" "+cp.origin))
	}
	m := []byte("subtree/v1\n\x00")
	m = append(m, byte(len(name)))
	m = append(m, name...)
	m = binary.BigEndian.AppendUint64(m, time)
	m = append(m, byte(len(cp.origin)))
	m = append(m, cp.origin...)
	m = binary.BigEndian.AppendUint64(m, 0)
	m = binary.BigEndian.AppendUint64(m, uint64(cp.size))
	return append(m, cp.root[:]...), nil
}

func verifyMLDSA(pub *mldsa.PublicKey, name string, cp *checkpoint, sig []byte) bool {
	if len(sig) != 8+mldsa.MLDSA44SignatureSize || cp.extended {
		return false
	}
	// SPEC: timestamp MUST NOT exceed 2^63 - 1. A log's may be zero.
	time := binary.BigEndian.Uint64(sig)
	msg, err := mldsaMessage(name, cp, time)
	return err == nil && time <= math.MaxInt64 && mldsa.Verify(pub, msg, sig[8:], nil) == nil
}
