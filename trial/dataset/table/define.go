package table

import (
	"fmt"
	"slices"
	"strings"
)

// A Define is what a define.xml (CDISC Define-XML 2.1, 2.0 or 1.0) says of the tables of a study.
type Define struct {
	Version  string // such as 2.1.0
	StudyOID string
	Study    string // the name
	Protocol string
	OID      string // of the MetaDataVersion
	Standard string // such as SDTMIG 3.3; of version 2.1 the first implementation guide
	Datasets []*Dataset
	Notes    []string // what is wrong with the file and does not prevent reading it
}

// A Dataset is the definition of a table.
type Dataset struct {
	OID, Name, Label string
	SASName          string // the name in XPT, if it is said
	Domain           string
	Class            string // such as EVENTS or BASIC DATA STRUCTURE
	Structure        string // such as "One record per subject"
	Purpose          string // Tabulation or Analysis
	File             string // the file of the table, as a relative link
	Comment          string
	Variables        []*Variable
}

// A Variable is the definition of a column, or of some of its values.
type Variable struct {
	OID, Name, Label string
	Type             string // the DataType of the file: text, integer, float, date, datetime, partialDate and so on
	Length           int    // characters, 0 if it is not said
	Digits           int    // SignificantDigits, 0 if it is not said
	Format           string // the SAS display format
	Order            int    // the place in the table, from 1; 0 if it is not said
	Key              int    // the place in the key, from 1; 0 if the variable is not part of it
	Mandatory        bool
	Role             string
	CodeList         string // OID
	Origins          []Origin
	Method           string // how it is derived
	Comment          string
	Values           []*Variable // value-level definitions

	method, comment, values string // OIDs
}

// An Origin says where values come from.
type Origin struct {
	Type   string // as the file has it, such as Collected, Derived, Predecessor, CRF or eDT
	Source string // such as Sponsor or Investigator; from version 2.1 on
	Text   string // the description
	Pages  string // of the annotated case report form
}

// Dataset returns the dataset with a name, whatever its case, or nil. The name can also be that in SAS, or
// that of the file without its extension.
func (d *Define) Dataset(name string) *Dataset {
	for _, of := range []func(*Dataset) string{
		func(ds *Dataset) string { return ds.Name },
		func(ds *Dataset) string { return ds.SASName },
		func(ds *Dataset) string { return fileName(ds.File) },
	} {
		for _, ds := range d.Datasets {
			if name != "" && strings.EqualFold(of(ds), name) {
				return ds
			}
		}
	}
	return nil
}

func fileName(href string) string {
	href = href[strings.LastIndexByte(href, '/')+1:]
	if i := strings.LastIndexByte(href, '.'); i >= 0 {
		href = href[:i]
	}
	return href
}

// Variable returns the variable with a name, whatever its case, or nil.
func (ds *Dataset) Variable(name string) *Variable {
	for _, v := range ds.Variables {
		if strings.EqualFold(v.Name, name) {
			return v
		}
	}
	return nil
}

// Keys returns the names of the key variables, in the order of the key.
func (ds *Dataset) Keys() []string {
	var keys []*Variable
	for _, v := range ds.Variables {
		if v.Key > 0 {
			keys = append(keys, v)
		}
	}
	slices.SortStableFunc(keys, func(a, b *Variable) int { return a.Key - b.Key })
	names := make([]string, len(keys))
	for i, v := range keys {
		names[i] = v.Name
	}
	return names
}

// Predecessors returns the variables that this one is a copy of, as DATASET.VARIABLE, from its origins and
// those of its values. An origin of the type Predecessor names in its description what the value is copied
// from. Version 1.0 has no such type: there it is the whole comment of a derived variable.
func (v *Variable) Predecessors() []string {
	var list []string
	add := func(text string) {
		for _, name := range references(text) {
			if !slices.Contains(list, name) {
				list = append(list, name)
			}
		}
	}
	for _, o := range v.Origins {
		if strings.EqualFold(o.Type, "Predecessor") {
			add(o.Text)
		}
		if strings.EqualFold(o.Type, "Derived") && o.Text == "" && isReference(strings.TrimSpace(v.Comment)) {
			add(v.Comment)
		}
	}
	for _, value := range v.Values {
		for _, name := range value.Predecessors() {
			add(name)
		}
	}
	return list
}

// references returns what in a text is of the form DATASET.VARIABLE.
func references(text string) []string {
	var list []string
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" \t\r\n,;()[]:=/", r) }) {
		if word = strings.TrimRight(word, "."); isReference(word) {
			list = append(list, strings.ToUpper(word))
		}
	}
	return list
}

// isReference reports whether a word is of the form DATASET.VARIABLE.
func isReference(word string) bool {
	ds, v, ok := strings.Cut(word, ".")
	return ok && isName(ds) && isName(v)
}

// isName reports whether s is a name as SAS allows: a letter or underscore, then digits too; 32 at most.
func isName(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := c == '_' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return 1 <= len(s) && len(s) <= 32
}

// defineTypes are the types of this package for those of Define-XML.
var defineTypes = map[string]string{
	"text": "text", "integer": "integer", "float": "number", "date": "date", "datetime": "datetime", "time": "time",
	"partialDate": "date", "partialTime": "time", "partialDatetime": "datetime", "incompleteDatetime": "datetime",
	"durationDatetime": "text", "intervalDatetime": "text", "string": "text", "double": "number", "decimal": "decimal",
	"boolean": "boolean",
}

// Describe adds to a table what the define.xml says of it: key, label, format, length and OID of each
// column where the table itself says nothing, and for CSV the types, so that its numbers are read as
// numbers. It must be called before the first Next. What does not fit is a note. It returns an error if the
// define.xml has no such dataset, or if a CSV column is not in it.
func (d *Define) Describe(t *Table) error {
	ds := d.Dataset(t.Name)
	if ds == nil {
		return fmt.Errorf("define.xml has no dataset %s", t.Name)
	}
	if t.Label == "" {
		t.Label = ds.Label
	}
	variables, columns := make(map[string]*Variable, len(ds.Variables)), make(map[string]bool, len(t.Columns))
	for _, v := range slices.Backward(ds.Variables) {
		variables[strings.ToUpper(v.Name)] = v
	}
	for i := range t.Columns {
		c := &t.Columns[i]
		columns[strings.ToUpper(c.Name)] = true
		v := variables[strings.ToUpper(c.Name)]
		if v == nil {
			if t.Source == "CSV" {
				return fmt.Errorf("define.xml has no variable %s.%s, so its type is not known", ds.Name, c.Name)
			}
			t.note("define", c.Name, "define.xml has no variable %s.%s", ds.Name, c.Name)
			continue
		}
		typ := defineTypes[v.Type]
		switch numeric := typ == "integer" || typ == "number" || typ == "decimal"; {
		case typ == "":
			t.note("define", c.Name, "define.xml gives %s.%s the unknown type %q", ds.Name, c.Name, v.Type)
		case t.Source == "CSV":
			c.Type = typ
		case numeric != c.Numeric() && sasTime(c.Format) == "":
			t.note("define", c.Name, "column %s holds %s, but define.xml says %s", c.Name, kindOf(c.Numeric()), v.Type)
		}
		if c.Key > 0 && v.Key > 0 && c.Key != v.Key {
			t.note("define.key", c.Name, "column %s is number %d of the key, but define.xml says %d", c.Name, c.Key, v.Key)
		}
		if c.Key == 0 {
			c.Key = v.Key
		}
		if c.Label == "" {
			c.Label = v.Label
		}
		if c.Format == "" {
			c.Format = v.Format
		}
		if c.Length == 0 {
			c.Length = v.Length
		}
		if c.OID == "" {
			c.OID = v.OID
		}
	}
	for _, v := range ds.Variables {
		if !columns[strings.ToUpper(v.Name)] {
			t.note("define.lacks", v.Name, "the table has no column %s, which define.xml has", v.Name)
		}
	}
	return nil
}

func kindOf(numeric bool) string {
	if numeric {
		return "numbers"
	}
	return "text"
}
