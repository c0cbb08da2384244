package trial_test

import (
	"encoding/asn1"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"testing"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// highS are the ids of Wycheproof's valid ECDSA signatures that have the larger of the two values
// of s. docs/spec.md, section 2, requires the smaller one, so that nobody but the signer can make
// a second valid signature of a statement.
var highS = []int{
	2, 3, 7, 299, 301, 302, 303, 306, 312, 313, 315, 316, 320, 321, 322, 329, 330, 331, 335, 337, 339, 340, 342, 345, 346,
	349, 350, 352, 353, 365, 366, 367, 368, 369, 394, 395, 398, 399, 400, 403, 406, 412, 413, 414, 415, 418, 419, 420,
	422, 423, 427, 433, 434, 439, 440, 448, 452, 453, 456, 459, 461, 462, 463, 465, 467, 468, 469, 471, 475, 479, 484,
}

// TestWycheproof checks every signature of Project Wycheproof's test vectors for Ed25519 and for
// ECDSA on P-256 with SHA-256. PublicKey must judge each as Wycheproof does, except for those that the
// table lists with the reason, which it must refuse. It also runs under js/wasm.
func TestWycheproof(t *testing.T) {
	for _, c := range []struct {
		file    string
		tests   int
		refused map[string][]int // valid for Wycheproof, and refused here: the ids, by the reason
	}{
		// No key of these vectors is one of small order, and none is in an encoding that is not
		// canonical: TestWeakKeys has those.
		{"ed25519_test.json", 151, nil},
		{"ecdsa_secp256r1_sha256_test.json", 484, map[string][]int{"the larger value of s": highS}},
	} {
		t.Run(c.file, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join("../../shared/data/wycheproof", c.file))
			if errors.Is(err, fs.ErrNotExist) {
				trialtest.Skip(t, "no ../shared/data")
			}
			if err != nil {
				t.Fatal(err)
			}
			var vectors struct {
				TestGroups []struct {
					PublicKeyDer string
					Tests        []struct {
						ID       int `json:"tcId"`
						Comment  string
						Msg, Sig string
						Result   string
						Flags    []string
					}
				}
			}
			if err := json.Unmarshal(data, &vectors); err != nil {
				t.Fatal(err)
			}
			reason := map[int]string{}
			for why, ids := range c.refused {
				for _, id := range ids {
					reason[id] = why
				}
			}
			n, diverged := 0, 0
			for _, g := range vectors.TestGroups {
				key, err := trial.ParsePublicKey(decodeHex(t, g.PublicKeyDer))
				if err != nil {
					t.Errorf("the key %s: %v", g.PublicKeyDer, err)
					continue
				}
				for _, v := range g.Tests {
					n++
					sig := decodeHex(t, v.Sig)
					err := key.Verify(decodeHex(t, v.Msg), sig)
					want := v.Result == "valid"
					if why := reason[v.ID]; why != "" {
						diverged++
						if !want {
							t.Errorf("%d is listed as refused here alone (%s), but Wycheproof refuses it too", v.ID, why)
						}
						if isLarge, err2 := largeS(sig); err2 != nil || !isLarge {
							t.Errorf("%d is listed for %s, which it does not have: %v", v.ID, why, err2)
						}
						want = false
					}
					if (err == nil) != want {
						t.Errorf("%d (%s, %v): Wycheproof says %s, but the answer is: %v", v.ID, v.Comment, v.Flags, v.Result, err)
					}
				}
			}
			if n != c.tests || diverged != len(reason) {
				t.Errorf("%d signatures and %d divergences were found, want %d and %d", n, diverged, c.tests, len(reason))
			}
		})
	}
}

func decodeHex(t testing.TB, s string) []byte {
	t.Helper()
	data, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// largeS reports whether an ECDSA signature has an s above half the order of P-256.
func largeS(sig []byte) (bool, error) {
	var v struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(sig, &v); err != nil {
		return false, err
	}
	order, _ := new(big.Int).SetString("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", 16)
	return new(big.Int).Lsh(v.S, 1).Cmp(order) > 0, nil
}
