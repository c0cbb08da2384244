package trial

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// A quickMember is a member of a kind's predicate.
type quickMember struct {
	key   string // its name in quotation marks, and a colon
	index []int  // of the field
	omit  bool   // left out if it is zero
}

var quickMembers sync.Map // by the struct's reflect.Type: []quickMember, as they are sorted in JSON

// quickPredicate reads a predicate whose members are texts, hashes and times. If there is anything
// else it returns false, and may have filled in a part of p.
func quickPredicate(object string, p Predicate) bool {
	v := reflect.ValueOf(p).Elem()
	members, ok := quickMembers.Load(v.Type())
	if !ok {
		members, _ = quickMembers.LoadOrStore(v.Type(), membersOf(v.Type()))
	}
	r := quickReader{rest: object}
	between := "{"
	for _, m := range members.([]quickMember) {
		if m.omit && !r.peek(between+m.key) {
			continue
		}
		r.expect(between)
		r.expect(m.key)
		r.value(v.FieldByIndex(m.index), m.omit)
		if r.failed {
			return false
		}
		between = ","
	}
	r.expect("}")
	return r.end() && between == ","
}

// value reads the value of a field. One that would be left out if it is zero must not be zero.
func (r *quickReader) value(field reflect.Value, omit bool) {
	r.expect(`"`)
	if r.failed {
		return
	}
	switch f := field.Addr().Interface().(type) {
	case *string:
		*f = r.text()
		r.failed = r.failed || omit && *f == ""
	case *Hash:
		*f = r.hash()
		r.failed = r.failed || omit && f.IsZero()
	case *Time:
		r.failed = r.failed || f.UnmarshalText([]byte(r.text())) != nil || omit && *f == 0
	default:
		r.failed = true
	}
}

// membersOf lists the members of a struct as encodePredicate writes them.
func membersOf(t reflect.Type) (list []quickMember) {
	for _, f := range reflect.VisibleFields(t) {
		tag, ok := f.Tag.Lookup("json")
		if !ok || !f.IsExported() {
			continue // an embedded struct
		}
		name, options, _ := strings.Cut(tag, ",")
		list = append(list, quickMember{`"` + name + `":`, f.Index, strings.HasPrefix(options, "omit")})
	}
	slices.SortFunc(list, func(a, b quickMember) int { return cmp.Compare(a.key, b.key) })
	return list
}
