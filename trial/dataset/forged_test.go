package dataset

import "testing"

// TestForged: what leads to the roots and yet says something else is refused.
func TestForged(t *testing.T) {
	tb := newTable("FORGED", 30, 4)
	k := testKey(t, "forged")
	c, ix := tb.commit(t, k, Options{Cells: true})
	id := tb.ids()[0]
	fresh := func() *Disclosure {
		d, err := ix.DiscloseSubject(k, id, ShowID, tb.read, []int{1, 2})
		if err != nil || len(d.Rows) < 3 {
			t.Fatal(err)
		}
		return d
	}
	if err := fresh().Verify(c); err != nil {
		t.Fatal(err)
	}
	absent, err := ix.ProveSubject(k, []byte("nobody"), ShowID)
	if err != nil {
		t.Fatal(err)
	}
	one, err := ix.Disclose(k, []RowCells{{3, tb.rows[3]}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(d *Disclosure){
		"a hash more in the proof of rows":    func(d *Disclosure) { d.RowProof = append(d.RowProof, Hash{1}) },
		"a hash more in the proof of columns": func(d *Disclosure) { d.HeaderProof = append(d.HeaderProof, Hash{1}) },
		"a hash more in the proof of cells":   func(d *Disclosure) { d.Rows[0].Proof = append(d.Rows[0].Proof, Hash{1}) },
		"a hash less in the proof of rows":    func(d *Disclosure) { d.RowProof = d.RowProof[1:] },
		"no row":                              func(d *Disclosure) { d.Rows = nil },
		"a row less":                          func(d *Disclosure) { d.Rows = d.Rows[1:] },
		"a row twice":                         func(d *Disclosure) { d.Rows = append(d.Rows, d.Rows[len(d.Rows)-1]) },
		"rows in another order":               func(d *Disclosure) { d.Rows[0], d.Rows[1] = d.Rows[1], d.Rows[0] },
		"a leaf hash beside the cells":        func(d *Disclosure) { d.Rows[0].Leaf = Hash{1} },
		"a salt beside the cells":             func(d *Disclosure) { d.Rows[0].Salt = Hash{1} },
		"columns exchanged":                   func(d *Disclosure) { d.Columns[0], d.Columns[1] = d.Columns[1], d.Columns[0] },
		"a cell less":                         func(d *Disclosure) { d.Rows[0].Cells = d.Rows[0].Cells[1:] },
		"another subject":                     func(d *Disclosure) { d.Subject = absent },
		"no subject":                          func(d *Disclosure) { d.Subject = nil },
		"rows that are not the subject's":     func(d *Disclosure) { d.Rows, d.RowProof = one.Rows, one.RowProof },
		"a token beside the id":               func(d *Disclosure) { d.Subject.Token = Hash{1} },
		"no secret":                           func(d *Disclosure) { d.Subject.Secret = Hash{} },
	} {
		d := fresh()
		change(d)
		if d.Verify(c) == nil {
			t.Errorf("a disclosure with %s verifies", name)
		}
	}

	// Some rows of the subject, each proven, are not all of its rows.
	var some []RowCells
	for _, row := range tb.rowsOf(id)[1:] {
		some = append(some, RowCells{row, tb.rows[row]})
	}
	part, err := ix.Disclose(k, some, []int{1, 2})
	if err != nil {
		t.Fatal(err)
	}
	if part.Subject, part.SubjectSalt = fresh().Subject, fresh().SubjectSalt; part.Verify(c) == nil {
		t.Error("a part of a subject's rows verifies as all of them")
	}
	// The second time, the row has other cells.
	twice := one.Rows[0]
	twice.Cells = append([]Cell(nil), twice.Cells...)
	twice.Cells[2].Value = Value("FATAL")
	if one.Rows = append(one.Rows, twice); one.Verify(c) == nil {
		t.Error("a row verifies that is shown twice, with different cells")
	}

	pair, err := ProvePair(k, ix, ix, id, ShowToken)
	if err != nil {
		t.Fatal(err)
	}
	other, err := ix.ProveSubject(k, []byte("nobody"), ShowToken)
	if err != nil {
		t.Fatal(err)
	}
	handle, _ := ix.ProveHandle(fresh().Subject.At.Handle)
	for _, p := range []*Pair{{Old: pair.Old, New: *other, Type: pairType}, {Old: *handle, New: *handle, Type: pairType}} {
		if _, _, err := p.Verify(c, c); err == nil {
			t.Error("a pair about two subjects, or about a handle alone, verifies")
		}
	}
}

// TestLyingSigner: a signer counts a row of one subject among those of another.
func TestLyingSigner(t *testing.T) {
	for _, cells := range []bool{false, true} {
		tb := newTable("LIE", 3, 1)
		for i, id := range []string{"01-1", "01-2", "01-1"} {
			tb.rows[i][1] = []byte(id)
		}
		k := testKey(t, "lie")
		b, err := NewBuilder(k, tb.Header, Options{Cells: cells})
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range tb.rows {
			if i == 1 {
				b.ids["01-2"] = b.ids["01-1"]
			}
			if err := b.Add(r); err != nil {
				t.Fatal(err)
			}
		}
		_, ix, err := b.Finish()
		if err != nil {
			t.Fatal(err)
		}
		for _, show := range []Show{ShowHandle, ShowToken, ShowID} {
			if _, err := ix.DiscloseSubject(k, []byte("01-1"), show, tb.read, nil); err == nil {
				t.Error("a subject is disclosed with a row of another one")
			}
		}
		if _, err := ix.Disclose(k, []RowCells{{1, tb.rows[1]}}, nil); err != nil {
			t.Error(err)
		}
	}
}
