package custody

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/trialproof/trialproof/trial"
)

// A Pack is a line of a packing list: a pack, or a case of packs. Which lot and arm it is of stays
// with who may know that.
type Pack struct {
	Code         // Serial, Token, Expiry and Lot
	Arm   string // the treatment, or ""
	Case  string // serial of the case that the pack is in, or ""
	Packs []Pack // of a case
}

// A Packing is a packing list.
type Packing struct {
	Packs []Pack // with the packs of cases behind their case
}

// maxPacking bounds a packing list, in packs.
const maxPacking = trial.MaxUnits

var packingColumns = []string{"serial", "token", "expiry", "lot", "arm", "case"}

// ParsePacking parses a packing list: a CSV file in UTF-8 whose first line names its columns, with
// commas or semicolons between. serial must be there: (01)…(21)…, a kit's number, or with a column
// gtin the serial alone; token, expiry (YYYY-MM-DD), lot, arm and case may be. Packs of one case name
// the case's serial. Tokens are all there or none. A case need have no line of its own.
func ParsePacking(data []byte) (*Packing, error) {
	if !utf8.Valid(data) {
		return nil, errors.New("it is not in UTF-8: save it as CSV in UTF-8")
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	r := csv.NewReader(bytes.NewReader(data))
	head, _, _ := bytes.Cut(data, []byte("\n"))
	if bytes.Count(head, []byte(";")) > bytes.Count(head, []byte(",")) {
		r.Comma = ';'
	}
	names, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("it has no first line with the names of its columns: %w", err)
	}
	columns := map[string]int{}
	for i, name := range names {
		name = strings.ToLower(strings.TrimSpace(name))
		if _, twice := columns[name]; twice || name != "gtin" && !slices.Contains(packingColumns, name) {
			return nil, fmt.Errorf("column %d is %.40q, which is there twice or none of gtin, %s", i+1, name, strings.Join(packingColumns, ", "))
		}
		columns[name] = i
	}
	if _, ok := columns["serial"]; !ok {
		return nil, errors.New("it has no column serial")
	}
	var list []Pack
	seen := map[string]bool{}
	for {
		row, err := r.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		line, _ := r.FieldPos(0)
		at := func(name string) string {
			if i, ok := columns[name]; ok {
				return strings.TrimSpace(row[i])
			}
			return ""
		}
		p, err := parsePack(at)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		if seen[p.Serial] {
			return nil, fmt.Errorf("line %d: %s is there already", line, p.Serial)
		}
		seen[p.Serial] = true
		if list = append(list, p); len(list) > maxPacking {
			return nil, fmt.Errorf("it has more than %d packs: a trial has no more", maxPacking)
		}
	}
	if len(list) == 0 {
		return nil, errors.New("it has no packs")
	}
	return arrange(list)
}

func parsePack(at func(string) string) (p Pack, err error) {
	p = Pack{Code: Code{Serial: at("serial"), Expiry: at("expiry"), Lot: at("lot")}, Arm: at("arm"), Case: at("case")}
	if gtin := at("gtin"); gtin != "" {
		p.Serial = "(01)" + gtin + "(21)" + p.Serial
	}
	for _, s := range []*string{&p.Serial, &p.Case} {
		if *s == "" {
			continue
		}
		code, err := Parse(*s, 2000)
		if err != nil {
			return p, err
		}
		if code.Token != nil || code.Expiry != "" || code.Lot != "" {
			return p, fmt.Errorf("serial %.60q has more than a serial in it", *s)
		}
		*s = code.Serial
	}
	if p.Serial == "" {
		return p, errors.New("it has no serial")
	}
	if p.Expiry != "" {
		if _, err := time.Parse(time.DateOnly, p.Expiry); err != nil {
			return p, fmt.Errorf("expiry %.20q is not a day such as 2027-03-31", p.Expiry)
		}
	}
	if token := at("token"); token != "" {
		t, err := DecodeToken(token)
		if err != nil {
			return p, err
		}
		p.Token = &t
	}
	return p, nil
}

// arrange puts packs behind their cases.
func arrange(list []Pack) (*Packing, error) {
	packs := map[string][]Pack{}
	own := map[string]int{}
	for i, p := range list {
		own[p.Serial] = i
		if p.Case != "" {
			packs[p.Case] = append(packs[p.Case], p)
		}
	}
	for of, inside := range packs {
		if len(inside) > trial.MaxCase {
			return nil, fmt.Errorf("case %s has %d packs; the most is %d", of, len(inside), trial.MaxCase)
		}
		if i, ok := own[of]; !ok {
			list = append(list, Pack{Code: Code{Serial: of}})
		} else if list[i].Case != "" {
			return nil, fmt.Errorf("case %s is itself in a case: a case holds packs alone", of)
		}
	}
	out := &Packing{}
	for _, p := range list {
		if p.Case != "" {
			continue
		}
		p.Packs = packs[p.Serial]
		out.Packs = append(out.Packs, p)
	}
	slices.SortStableFunc(out.Packs, func(a, b Pack) int { return strings.Compare(a.Serial, b.Serial) })
	return out, nil
}

// All returns all packs and cases.
func (p *Packing) All() (list []*Pack) {
	for i := range p.Packs {
		list = append(list, &p.Packs[i])
		for j := range p.Packs[i].Packs {
			list = append(list, &p.Packs[i].Packs[j])
		}
	}
	return list
}

// MakeTokens gives a token to each pack and case, if none has one. It returns an error if some have.
func (p *Packing) MakeTokens(random io.Reader) error {
	for _, x := range p.All() {
		if x.Token != nil {
			return fmt.Errorf("%s has a token already", x.Serial)
		}
		token, err := NewToken(random)
		if err != nil {
			return err
		}
		x.Token = &token
	}
	return nil
}

// Marshal returns the list as CSV. Without secrets, it has neither lot nor arm: what a site needs to
// scan packs whose labels have no token.
func (p *Packing) Marshal(secrets bool) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	columns := packingColumns
	if !secrets {
		columns = []string{"serial", "token", "expiry", "case"}
	}
	w.Write(columns)
	for _, x := range p.All() {
		token := ""
		if x.Token != nil {
			token = EncodeToken(*x.Token)
		}
		row := []string{x.Serial, token, x.Expiry, x.Lot, x.Arm, x.Case}
		if !secrets {
			row = []string{x.Serial, token, x.Expiry, x.Case}
		}
		w.Write(row)
	}
	w.Flush() // to memory, which does not fail
	return b.Bytes()
}

// Commitment returns the commitment of a pack, which has a token.
func (p *Pack) Commitment() trial.Hash {
	return trial.UnitCommitment(trial.UnitHandle(p.Serial, *p.Token))
}

// Unit returns what issuing the pack, or the case with its packs, says.
func (p *Pack) Unit() trial.Unit {
	u := trial.Unit{Unit: p.Commitment()}
	if len(p.Packs) > 0 {
		u.Contents, u.Packs = trial.CaseContents(p.Inside()), uint64(len(p.Packs))
	}
	return u
}

// Inside returns the commitments of the packs of a case, sorted.
func (p *Pack) Inside() []trial.Hash {
	var list []trial.Hash
	for i := range p.Packs {
		list = append(list, p.Packs[i].Commitment())
	}
	slices.SortFunc(list, func(a, b trial.Hash) int { return bytes.Compare(a[:], b[:]) })
	return list
}
