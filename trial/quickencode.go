package trial

import (
	"encoding"
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// A quickWriter appends the JSON of a value as package encoding/json writes it, without escaping
// for HTML. It returns nil if it cannot, and then encoding/json does.
type quickWriter func(b []byte, v reflect.Value) []byte

var quickWriters sync.Map // by reflect.Type: quickWriter, nil for types that encoding/json writes

// quickEncode returns the JSON of what v points to, or nil if encoding/json must write it.
func quickEncode(v any) []byte {
	p := reflect.ValueOf(v)
	if p.Kind() != reflect.Pointer || p.IsNil() {
		return nil
	}
	write := writerOf(p.Type().Elem())
	if write == nil {
		return nil
	}
	return write(make([]byte, 0, 1024), p.Elem())
}

func writerOf(t reflect.Type) quickWriter {
	if w, ok := quickWriters.Load(t); ok {
		return w.(quickWriter)
	}
	w := newWriter(t)
	quickWriters.Store(t, w)
	return w
}

var (
	jsonMarshaler = reflect.TypeFor[json.Marshaler]()
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()
	textAppender  = reflect.TypeFor[encoding.TextAppender]()
)

// newWriter returns the writer of a type, or nil if it is of another sort than those of records. A
// type must not contain itself.
func newWriter(t reflect.Type) quickWriter {
	switch {
	case t.Kind() == reflect.Pointer:
		return nilOr(writerOf(t.Elem()), reflect.Value.Elem)
	case t.Implements(jsonMarshaler) || reflect.PointerTo(t).Implements(jsonMarshaler):
		return nil
	case reflect.PointerTo(t).Implements(textAppender):
		return appendText
	case t.Implements(textMarshaler):
		return writeText
	case reflect.PointerTo(t).Implements(textMarshaler):
		return nil
	}
	switch t.Kind() {
	case reflect.String:
		return func(b []byte, v reflect.Value) []byte { return writeString(b, v.String()) }
	case reflect.Bool:
		return func(b []byte, v reflect.Value) []byte { return strconv.AppendBool(b, v.Bool()) }
	case reflect.Int, reflect.Int64:
		return func(b []byte, v reflect.Value) []byte { return strconv.AppendInt(b, v.Int(), 10) }
	case reflect.Uint64:
		return func(b []byte, v reflect.Value) []byte { return strconv.AppendUint(b, v.Uint(), 10) }
	case reflect.Slice:
		if t.Elem().Kind() != reflect.Uint8 { // base64 in JSON
			return writeList(writerOf(t.Elem()))
		}
	case reflect.Map:
		if t.Key() == reflect.TypeFor[string]() {
			return writeMap(writerOf(t.Elem()))
		}
	case reflect.Struct:
		return writeStruct(t)
	}
	return nil
}

// appendText writes a text of which JSON escapes nothing: the types that append texts have hexadecimal
// digits and base64.
func appendText(b []byte, v reflect.Value) []byte {
	if !v.CanAddr() {
		return writeText(b, v)
	}
	b, err := v.Addr().Interface().(encoding.TextAppender).AppendText(append(b, '"'))
	if err != nil {
		return nil
	}
	return append(b, '"')
}

func writeText(b []byte, v reflect.Value) []byte {
	text, err := v.Interface().(encoding.TextMarshaler).MarshalText()
	if err != nil {
		return nil
	}
	return writeString(b, string(text))
}

// writeString writes a text. Those with anything that JSON escapes are few.
func writeString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			text, err := slowEncode(s)
			if err != nil {
				return nil
			}
			return append(b, text...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

// nilOr writes null for nil, and otherwise what of returns of the value.
func nilOr(write quickWriter, of func(reflect.Value) reflect.Value) quickWriter {
	if write == nil {
		return nil
	}
	return func(b []byte, v reflect.Value) []byte {
		if v.IsNil() {
			return append(b, "null"...)
		}
		return write(b, of(v))
	}
}

func writeList(element quickWriter) quickWriter {
	if element == nil {
		return nil
	}
	return nilOr(func(b []byte, v reflect.Value) []byte {
		b = append(b, '[')
		for i := range v.Len() {
			if i > 0 {
				b = append(b, ',')
			}
			if b = element(b, v.Index(i)); b == nil {
				return nil
			}
		}
		return append(b, ']')
	}, func(v reflect.Value) reflect.Value { return v })
}

func writeMap(element quickWriter) quickWriter {
	if element == nil {
		return nil
	}
	return nilOr(func(b []byte, v reflect.Value) []byte {
		keys := v.MapKeys()
		slices.SortFunc(keys, func(x, y reflect.Value) int { return strings.Compare(x.String(), y.String()) })
		b = append(b, '{')
		for i, key := range keys {
			if i > 0 {
				b = append(b, ',')
			}
			if b = writeString(b, key.String()); b == nil {
				return nil
			}
			if b = element(append(b, ':'), v.MapIndex(key)); b == nil {
				return nil
			}
		}
		return append(b, '}')
	}, func(v reflect.Value) reflect.Value { return v })
}

// A writtenMember is a member of a struct.
type writtenMember struct {
	key   string // in quotation marks, with a colon
	field int
	empty func(reflect.Value) bool // left out if this is true; may be nil
	write quickWriter
}

// writeStruct returns the writer of a struct whose members all have names of their own.
func writeStruct(t reflect.Type) quickWriter {
	var members []writtenMember
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		m := writtenMember{`"` + name + `":`, i, nil, writerOf(f.Type)}
		if f.Anonymous || !f.IsExported() || name == "" || name == "-" || m.write == nil {
			return nil
		}
		switch options {
		case "":
		case "omitempty":
			m.empty = isEmpty
		case "omitzero":
			m.empty = reflect.Value.IsZero
			if _, ok := f.Type.MethodByName("IsZero"); ok && f.Type != reflect.TypeFor[Hash]() {
				return nil
			}
		default:
			return nil
		}
		members = append(members, m)
	}
	return func(b []byte, v reflect.Value) []byte {
		b = append(b, '{')
		first := true
		for i := range members {
			m := &members[i]
			field := v.Field(m.field)
			if m.empty != nil && m.empty(field) {
				continue
			}
			if !first {
				b = append(b, ',')
			}
			first = false
			if b = m.write(append(b, m.key...), field); b == nil {
				return nil
			}
		}
		return append(b, '}')
	}
}

// isEmpty is what encoding/json means by omitempty.
func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Array, reflect.Map, reflect.Slice, reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		return false
	}
	return v.IsZero()
}
