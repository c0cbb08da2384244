package receipt

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial"
)

// filed returns a file of n receipts, and where each begins and ends.
func filed(t testing.TB, n int) (file []byte, ends []int) {
	t.Helper()
	file = FileHead{"log.example/trials", "acme"}.Marshal()
	ends = []int{len(file)}
	for i := range n {
		text := fmt.Sprintf("%s\nextra %d\nreceipt of nothing\n%s", header, i, strings.Repeat("line\n", i*i*100))
		var err error
		file, err = Filed{trial.Hash(sha256.Sum256([]byte(text))), trial.Hash{byte(i)}, []byte(text)}.AppendTo(file)
		if err != nil {
			t.Fatal(err)
		}
		ends = append(ends, len(file))
	}
	return file, ends
}

// readFile returns the numbers of the receipts that are read, and what is damaged. Each byte
// behind the head is part of one or the other.
func readFile(t testing.TB, file []byte) (found []int, damaged []*Damage, err error) {
	t.Helper()
	r, err := NewFileReader(bytes.NewReader(file))
	if err != nil {
		return nil, nil, err
	}
	for at := r.At(); ; at = r.At() {
		f, err := r.Next()
		d, bad := errors.AsType[*Damage](err)
		switch {
		case err == io.EOF:
			if at != int64(len(file)) {
				t.Fatalf("it ends at %d of %d", at, len(file))
			}
			return found, damaged, nil
		case bad:
			if d.From != at || d.To != r.At() || d.To <= d.From {
				t.Fatalf("%+v, read from %d to %d", d, at, r.At())
			}
			damaged = append(damaged, d)
		case err != nil:
			t.Fatal(err)
		default:
			again, err := f.AppendTo(nil)
			if err != nil || !bytes.Equal(again, file[at:r.At()]) {
				t.Fatalf("%d to %d is no receipt of the file: %v", at, r.At(), err)
			}
			found = append(found, int(f.Document[0]))
		}
	}
}

func TestFile(t *testing.T) {
	file, ends := filed(t, 6)
	found, damaged, err := readFile(t, file)
	if err != nil || fmt.Sprint(found) != "[0 1 2 3 4 5]" || len(damaged) > 0 {
		t.Fatalf("%v, %v, %v", found, damaged, err)
	}
	// However it is cut off, what stands before is read, and the rest is one damaged part.
	for n := ends[0]; n < len(file); n++ {
		found, damaged, err := readFile(t, file[:n])
		whole := 0
		for ends[whole+1] <= n {
			whole++
		}
		if err != nil || len(found) != whole || (len(damaged) > 0) != (n > ends[whole]) || len(damaged) > 1 {
			t.Fatalf("cut off at %d: %v, %v, %v", n, found, damaged, err)
		}
		if len(damaged) == 1 && (damaged[0].From != int64(ends[whole]) || damaged[0].To != int64(n)) {
			t.Fatalf("cut off at %d: %v", n, damaged)
		}
		if n > ends[whole]+maxFrameLine {
			n += 197
		}
	}
	for n := range ends[0] {
		if _, _, err := readFile(t, file[:n]); err == nil {
			t.Fatalf("a head of %d bytes is read", n)
		}
	}
	// Whatever byte is changed, every other receipt is read.
	for n := ends[0]; n < ends[4]; n++ {
		changed := bytes.Clone(file)
		changed[n] ^= 1
		found, damaged, err := readFile(t, changed)
		if err != nil || len(found) != 5 || len(damaged) != 1 {
			t.Fatalf("byte %d changed: %v, %v, %v", n, found, damaged, err)
		}
		if n > ends[1]+maxFrameLine {
			n += 97
		}
	}
	// The same where bytes are missing or come in between, and it is said whose receipt it was.
	for what, changed := range map[string][]byte{
		"without a byte": append(bytes.Clone(file[:ends[3]-5]), file[ends[3]-4:]...),
		"with bytes":     append(append(bytes.Clone(file[:ends[3]-5]), "odd\n\x00"...), file[ends[3]-5:]...),
	} {
		found, damaged, err := readFile(t, changed)
		if err != nil || fmt.Sprint(found) != "[0 1 3 4 5]" || len(damaged) != 1 ||
			!strings.Contains(damaged[0].Error(), damaged[0].ID.String()) {
			t.Errorf("%s: %v, %v, %v", what, found, damaged, err)
		}
	}
	for _, text := range []string{"", "no line feed", strings.Repeat("x", MaxSize) + "\n"} {
		if _, err := (Filed{Receipt: []byte(text)}).AppendTo(nil); err == nil {
			t.Errorf("%.20q of %d bytes is filed", text, len(text))
		}
	}
	largest := strings.Repeat("x", MaxSize-1) + "\n"
	large, err := Filed{Receipt: []byte(largest)}.AppendTo(file[:ends[0]:ends[0]])
	if found, damaged, _ := readFile(t, large); err != nil || len(found) != 1 || len(damaged) > 0 {
		t.Errorf("the largest: %v, %v", damaged, err)
	}
	for _, bad := range []string{"", "x", FileHeader + "\n\n", FileHeader + "\nlog \norg a\n\n", FileHeader + "\norg a\nlog b\n\n"} {
		if _, err := NewFileReader(strings.NewReader(bad)); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
}

// FuzzFile: whatever a file holds, every byte of it is accounted for; and in a file of receipts, of which
// a part is replaced, the receipts outside of that part are read.
func FuzzFile(f *testing.F) {
	f.Add([]byte("receipt"), uint16(0), uint16(10))
	f.Add([]byte("\n"), uint16(200), uint16(0))
	f.Add([]byte{0}, uint16(900), uint16(400))
	whole, ends := filed(f, 4)
	f.Fuzz(func(t *testing.T, part []byte, at, cut uint16) {
		readFile(t, append(bytes.Clone(whole[:ends[0]]), part...))
		from := min(ends[0]+int(at), len(whole))
		to := min(from+int(cut), len(whole))
		if len(part) > 0 && (bytes.HasPrefix(part, []byte(frameWord)) || bytes.Contains(part, []byte("\n"+frameWord))) {
			return // it may begin a receipt that swallows others
		}
		head := append(bytes.Clone(whole[:from]), part...)
		found, _, err := readFile(t, append(head, whole[to:]...))
		if err != nil {
			t.Fatal(err)
		}
		for i := range 4 {
			touched := from < ends[i+1] && to > ends[i] || from == to && from > ends[i] && from < ends[i+1]
			behind := to == ends[i] && head[len(head)-1] != '\n' // its line is no line of its own
			if seen := strings.Contains(fmt.Sprint(found), fmt.Sprint(i)); !touched && !behind && !seen {
				t.Fatalf("%d is not read: %v, replaced %d to %d of %v", i, found, from, to, ends)
			}
		}
	})
}
