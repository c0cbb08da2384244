package api

import (
	"bytes"
	"encoding/json"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"

	"github.com/trialproof/trialproof/api/trialpb"
)

// TestMarshalReceipt: the answer to a submission is what protojson makes of it, without white space.
func TestMarshalReceipt(t *testing.T) {
	for _, text := range []string{"", "c2sp.org/tlog-proof@v1\nextra e30=\n\n— log.example/x abc=\n", "\"\\/<>&\u2028\u00e4\U0001f600\x7f"} {
		for _, index := range []uint64{0, 7, 1<<64 - 1} {
			r := &trialpb.Receipt{Id: "00ff", Index: &index, Receipt: &text}
			data, err := protojson.MarshalOptions{EmitDefaultValues: true}.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			var want bytes.Buffer
			if err := json.Compact(&want, data); err != nil {
				t.Fatal(err)
			}
			if got := marshalReceipt(r); !bytes.Equal(got, want.Bytes()) {
				t.Errorf("%s, want %s", got, &want)
			}
			if got, err := marshal(r); err != nil || !bytes.Equal(got, want.Bytes()) {
				t.Errorf("%s, %v, want %s", got, err, &want)
			}
		}
	}
	for c := range byte(' ') { // whatever stands for it
		var back string
		if err := json.Unmarshal(appendText(nil, "a"+string(c)+"b"), &back); err != nil || back != "a"+string(c)+"b" {
			t.Errorf("%q: %q, %v", c, back, err)
		}
	}
}
