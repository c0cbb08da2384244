package table

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
)

// member reads one member of the metadata.
func (j *djson) member(name string) error {
	var err error
	switch name {
	case "datasetJSONVersion":
		v, err := j.string()
		if err != nil {
			return err
		}
		// SPEC (Dataset-JSON 1.1): the allowed pattern is "1.1(.(0|([1-9][0-9]*)))?"
		if !version11.MatchString(v) {
			return fmt.Errorf("the version is %s, want 1.1", quote([]byte(v)))
		}
	case "name":
		j.table.Name, err = j.string()
		if err == nil && j.table.Name == "" {
			return errors.New("the name is empty")
		}
	case "label":
		j.table.Label, err = j.string()
	case "records":
		j.table.Records, err = j.integer()
	case "columns":
		if err := j.s.must('['); err != nil {
			return err
		}
		return j.s.array(j.column)
	case "datasetJSONCreationDateTime", "fileOID", "dbLastModifiedDateTime", "originator", "studyOID", "metaDataVersionOID",
		"metaDataRef", "itemGroupOID":
		_, err = j.string()
	case "sourceSystem":
		return j.s.skip(1)
	default:
		j.table.note("extension", name, "the metadata has the member %s, which is not of Dataset-JSON 1.1: it is not read",
			quote([]byte(name)))
		return j.s.skip(1)
	}
	return err
}

var version11 = regexp.MustCompile(`^1\.1(\.(0|[1-9][0-9]*))?$`)

// string reads a string, or null as an empty one.
func (j *djson) string() (string, error) {
	c, err := j.s.token()
	if err != nil {
		return "", err
	}
	switch c {
	case 'n':
		return "", j.s.word("ull")
	case '"':
		b, err := j.s.text(nil)
		return string(b), err
	}
	return "", fmt.Errorf("there is %q, want a string", c)
}

// integer reads an integer that is not negative, or null as 0.
func (j *djson) integer() (int64, error) {
	c, err := j.s.token()
	if err != nil {
		return 0, err
	}
	if c == 'n' {
		return 0, j.s.word("ull")
	}
	if c < '0' || c > '9' {
		return 0, fmt.Errorf("there is %q, want a whole number", c)
	}
	b, err := j.s.number(nil, c)
	if err != nil {
		return 0, err
	}
	if !plainWhole(b) {
		return 0, fmt.Errorf("%s is not a whole number", quote(b))
	}
	return strconv.ParseInt(string(b), 10, 64)
}

// types are the types of this package for those of Dataset-JSON.
var types = map[string]string{
	"string": "text", "URI": "text", "integer": "integer", "decimal": "decimal", "float": "number", "double": "number",
	"boolean": "boolean", "datetime": "datetime", "date": "date", "time": "time",
}

// column reads the metadata of a column.
func (j *djson) column() error {
	n := len(j.table.Columns) + 1
	if n > MaxColumns {
		return fmt.Errorf("there are more than %d columns", MaxColumns)
	}
	if err := j.s.must('{'); err != nil {
		return fmt.Errorf("column %d: %w", n, err)
	}
	var c Column
	var target string
	seen := map[string]bool{}
	err := j.s.object(seen, func(name string) (bool, error) {
		var err error
		var i int64
		switch name {
		case "itemOID":
			c.OID, err = j.string()
		case "name":
			c.Name, err = j.string()
		case "label":
			c.Label, err = j.string()
		case "displayFormat":
			c.Format, err = j.string()
		case "dataType":
			var t string
			if t, err = j.string(); err == nil {
				if c.Type = types[t]; c.Type == "" {
					err = fmt.Errorf("the type %s is not of Dataset-JSON 1.1", quote([]byte(t)))
				}
			}
		case "targetDataType":
			target, err = j.string()
			if err == nil && target != "" && target != "integer" && target != "decimal" {
				err = fmt.Errorf("the target %s is neither integer nor decimal", quote([]byte(target)))
			}
		case "length":
			i, err = j.integer()
			c.Length = int(i)
		case "keySequence":
			i, err = j.integer()
			if c.Key = int(i); i > MaxColumns {
				err = fmt.Errorf("%d is larger than the number of columns can be", i)
			}
		default:
			j.table.note("extension", "columns."+name, "the columns have the member %s, which is not of Dataset-JSON 1.1: it is not read",
				quote([]byte(name)))
			err = j.s.skip(3)
		}
		if err != nil {
			err = fmt.Errorf("%s: %w", quote([]byte(name)), err)
		}
		return false, err
	})
	if err == nil && c.Type == "" {
		err = errors.New("it has no dataType")
	}
	if err != nil {
		return fmt.Errorf("column %d (%s): %w", n, quote([]byte(c.Name)), err)
	}
	j.table.Columns = append(j.table.Columns, c)
	if target == "integer" && (c.Type == "date" || c.Type == "datetime" || c.Type == "time") {
		j.table.note("date", c.Name, "column %s holds a %s as ISO 8601 text that stands for a number: "+
			"it is not equal to the days or seconds of XPT", c.Name, c.Type)
	}
	return nil
}
