package logserver_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/witness"
)

// TestLyingWitness: a witness that claims to have cosigned more than was ever signed, and
// cannot show it, stops nobody.
func TestLyingWitness(t *testing.T) {
	f := newFixture(t)
	f.witnesses(2, 2)
	key, err := witness.NewKey("liar.example", witness.Ed25519)
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan struct{}, 100)
	liar := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			select {
			case asked <- struct{}{}:
			default:
			}
			fmt.Fprint(w, "log.example/trials\n999999\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— log.example/trials AAAA\n")
			return
		}
		w.Header().Set("Content-Type", "text/x.tlog.size")
		w.WriteHeader(http.StatusConflict)
		fmt.Fprint(w, "999999\n")
	}))
	defer liar.Close()
	f.policy = strings.Replace(f.policy, "group g 2 w1 w2", "witness w3 "+key.VKey()+" "+liar.URL+"\ngroup g 2 w1 w2 w3", 1)
	f.create()
	l, stop := f.open()
	defer stop()
	waitReady(t, l)
	id := f.enrol(l)
	<-asked // the claim was made, and looked into
	for range 5 {
		p, s, _ := f.document(id)
		f.submit(l, "ada", p, s)
	}
	if err := l.Err(); err != nil {
		t.Fatal(err)
	}
}
