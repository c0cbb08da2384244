package trial

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"math/rand"
	"os"
	"reflect"
	"strings"
	"testing"
	"unicode"

	"github.com/gowebpki/jcs"
)

// jsonTypes are all types of the package that are written as JSON. Those that
// stand in others are filled with them.
func jsonTypes() []any {
	all := []any{
		new(Envelope), new(statementEntry), new(StateEntry), new(Genesis), new(wireStatement),
		new(OrgRecord), new(KeyRecord), new(TrialRecord), new(IdentifierRecord), new(SealRecord), new(LogRecord), new(Openings),
		new(RecipientRecord), new(ConsentRecord), new(RequestRecord), new(UnitRecord), new(signedFile),
	}
	for _, k := range Kinds() {
		all = append(all, kinds[k]())
	}
	return all
}

// TestEveryTypeIsCanonical fills every JSON type with whatever its fields take
// and wants the bytes that an independent implementation of RFC 8785 makes of
// them. Members out of order, or text that encoding/json escapes differently,
// would part the two.
func TestEveryTypeIsCanonical(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	r := rand.New(rand.NewSource(1))
	for _, v := range jsonTypes() {
		for n := range 200 {
			fill(r, reflect.ValueOf(v).Elem(), n == 0)
			data, err := encodeAny(v)
			if err != nil {
				t.Fatalf("%T: %v", v, err)
			}
			canonical, err := jcs.Transform(data)
			if err != nil {
				t.Fatalf("%T: %v in %s", v, err, data)
			}
			if !bytes.Equal(data, canonical) {
				t.Fatalf("%T: we write\n%s\ncanonical is\n%s", v, data, canonical)
			}
			again := reflect.New(reflect.TypeOf(v).Elem()).Interface()
			if err := decodeAny(data, again); err != nil {
				t.Fatalf("%T: %v when reading %s", v, err, data)
			}
			if back, _ := encodeAny(again); !bytes.Equal(back, data) {
				t.Fatalf("%T: reads %s as %s", v, data, back)
			}
		}
	}
}

func encodeAny(v any) ([]byte, error) {
	if _, ok := v.(Predicate); ok {
		return encodePredicate(v)
	}
	return encode(v)
}

func decodeAny(data []byte, v any) error {
	if _, ok := v.(Predicate); ok {
		return decodeWith(encodePredicate, data, v)
	}
	return decode(data, v)
}

// TestNoTypeIsForgotten reads the package: a struct with JSON tags that
// jsonTypes does not lead to is not held to its canonical form.
func TestNoTypeIsForgotten(t *testing.T) {
	reached := map[string]bool{}
	var reach func(reflect.Type)
	reach = func(typ reflect.Type) {
		switch typ.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			reach(typ.Elem())
		case reflect.Struct:
			if reached[typ.Name()] {
				return
			}
			reached[typ.Name()] = true
			for i := range typ.NumField() {
				reach(typ.Field(i).Type)
			}
		}
	}
	for _, v := range jsonTypes() {
		reach(reflect.TypeOf(v))
	}
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, file := range files {
		if !strings.HasSuffix(file.Name(), ".go") || strings.HasSuffix(file.Name(), "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(node ast.Node) bool {
			spec, ok := node.(*ast.TypeSpec)
			if !ok {
				return true
			}
			if st, ok := spec.Type.(*ast.StructType); ok {
				for _, field := range st.Fields.List {
					if field.Tag != nil && strings.Contains(field.Tag.Value, "json:") {
						n++
						if !reached[spec.Name.Name] {
							t.Errorf("%s: the type %s is not held to its canonical form: add it to jsonTypes", file.Name(), spec.Name.Name)
						}
						break
					}
				}
			}
			return true
		})
	}
	if n < 20 {
		t.Fatalf("only %d types with JSON tags found", n)
	}
}

// TestNoSchemeIsForgotten wants every registry in registry_test.go's table.
func TestNoSchemeIsForgotten(t *testing.T) {
	text, err := os.ReadFile("registry_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range schemes {
		if !strings.Contains(string(text), "\t\t\""+s.name+":") {
			t.Errorf("the scheme %s is in no test", s.name)
		}
	}
}

// texts are what a field might hold that checkText lets pass, and whatever else
// JSON could spell in two ways.
var texts = []string{"", "a", `"quoted"`, `back\slash`, "<b>&amp;</b>", "é", "漢字", "😀", "/", "'", "a,b:{c}[d]", "\u00a0x", "~", "ﷺ",
	"\\u0041", "null"}

var someKeys = func() []PublicKey {
	var keys []PublicKey
	for _, spki := range []string{
		"MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
		// RFC 8032, test 1
		"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYP7UuiVanTHJYet0xjVtaMBJuJI7Yfps5mlijLmyOi5osgoBGDDtO/RvY6+LiQTIWOlUNuBAxg38MWwXBJfxRA==",
		// RFC 6979 is another; any point will do
	} {
		var p PublicKey
		if p.UnmarshalText([]byte(spki)) == nil {
			keys = append(keys, p)
		}
	}
	return keys
}()

// fill sets every field at random; full leaves none empty.
func fill(r *rand.Rand, v reflect.Value, full bool) {
	switch v.Interface().(type) {
	case Hash:
		var h Hash
		if full || r.Intn(4) > 0 {
			r.Read(h[:])
		}
		v.Set(reflect.ValueOf(h))
		return
	case Time:
		v.SetInt(r.Int63n(int64(maxTime) + 1))
		return
	case PublicKey:
		v.Set(reflect.ValueOf(someKeys[r.Intn(len(someKeys))]))
		return
	case json.RawMessage:
		k := Kinds()[r.Intn(len(kinds))]
		p := kinds[k]()
		fill(r, reflect.ValueOf(p).Elem(), full)
		data, err := encodePredicate(p)
		if err != nil {
			panic(err)
		}
		v.SetBytes(data)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				fill(r, v.Field(i), full)
			}
		}
	case reflect.String:
		s := texts[r.Intn(len(texts))] + texts[r.Intn(len(texts))]
		if full {
			s += "x"
		}
		v.SetString(s)
	case reflect.Bool:
		v.SetBool(full || r.Intn(2) > 0)
	case reflect.Int:
		v.SetInt(r.Int63n(maxIndex))
	case reflect.Uint8:
		v.SetUint(uint64(r.Intn(256)))
	case reflect.Uint64:
		v.SetUint(uint64(r.Int63n(maxIndex + 1)))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(r, v.Elem(), full)
	case reflect.Array:
		for i := range v.Len() {
			fill(r, v.Index(i), full)
		}
	case reflect.Slice:
		n := 1 + r.Intn(3)
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			fill(r, v.Index(i), full)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for _, name := range []string{"global", "DE", "FR", "a-b", "appendix-10", "appendix-2"}[:1+r.Intn(6)] {
			e := reflect.New(v.Type().Elem()).Elem()
			fill(r, e, full)
			v.SetMapIndex(reflect.ValueOf(name), e)
		}
	default:
		panic("fill: " + v.Kind().String())
	}
}

func FuzzSortMembers(f *testing.F) {
	f.Add("b", `x"}{,`, "a", `\`)
	f.Add("a", `x"}{,`, "b", `\`)
	f.Fuzz(func(t *testing.T, n1, v1, n2, v2 string) {
		for _, s := range []string{n1, n2} {
			if !isName(s) {
				return
			}
		}
		if n1 == n2 || checkText("v", v1, 100) != nil || checkText("v", v2, 100) != nil {
			return
		}
		type inner struct {
			V []string `json:"v"`
		}
		a, _ := encode(map[string]any{n1: v1})
		b, _ := encode(map[string]any{n2: inner{[]string{v2, v1}}})
		object := append(append(append(append([]byte("{"), b[1:len(b)-1]...), ','), a[1:len(a)-1]...), '}')
		want, err := jcs.Transform(object)
		if err != nil {
			t.Fatal(err)
		}
		if got := sortMembers(object); !bytes.Equal(got, want) {
			t.Fatalf("%s sorts to %s, not %s", object, got, want)
		}
	})
}

// FuzzText: whatever text checkText takes, encoding/json writes as RFC 8785 has
// it, and it hides nothing.
func FuzzText(f *testing.F) {
	for _, s := range append(texts, "a\u2028b", "a\u200bb", "\ufeff", "Ada\u202Eecalevol") {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if checkText("text", s, 100) != nil {
			return
		}
		data, err := encode(s)
		if err != nil {
			t.Fatal(err)
		}
		// jcs takes objects and arrays alone.
		want, err := jcs.Transform([]byte("[" + string(data) + "]"))
		if err != nil || string(want) != "["+string(data)+"]" {
			t.Fatalf("%q is written %s, not %s (%v)", s, data, want, err)
		}
		for _, r := range s {
			if unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co, unicode.Cs) {
				t.Fatalf("%q holds %U", s, r)
			}
		}
	})
}

// TestHiddenCharacters compares the fixed table with what this Go's Unicode
// says. Where a later Unicode hides more, the table of rule set 1 stays: take
// the character up in the next rule set.
func TestHiddenCharacters(t *testing.T) {
	for i := 1; i < len(hidden); i++ {
		if hidden[i][0] <= hidden[i-1][1] || hidden[i][0] > hidden[i][1] {
			t.Fatalf("the table is out of order at %U", hidden[i][0])
		}
	}
	for r := rune(0); r <= unicode.MaxRune; r++ {
		want := r == unicode.ReplacementChar || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co, unicode.Cs,
			unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector, unicode.Noncharacter_Code_Point)
		if got := isHidden(r); got != want {
			if got || unicode.Version == "15.0.0" {
				t.Fatalf("%U: hidden %v, Unicode %s says %v", r, got, unicode.Version, want)
			}
			t.Logf("%U: Unicode %s hides it, rule set 1 does not", r, unicode.Version)
		}
		if unicode.IsSpace(r) && !isSpace(r) && !isHidden(r) {
			t.Errorf("%U is space", r)
		}
		if isSpace(r) && !unicode.IsSpace(r) {
			t.Errorf("%U is no space", r)
		}
	}
}

func TestCheckText(t *testing.T) {
	for _, good := range []string{"a", "Acme & Söhne GmbH", "東京", "1.0 (final)", "O'Neill", strings.Repeat("é", 40), "a b"} {
		if err := checkText("text", good, 40); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{
		"", strings.Repeat("é", 41), " a", "a " +
			"", "\u00a0a", "a\u3000", "a\tb", "a\nb", "a\x00b", "a\x7fb", "a\u0085b", "a\xffb", "\xed\xa0\x80",
		"a\u200bb", "a\u200db", "a\u2060b", "\ufeffa", "a\u202eb", "a\u2066b", "a\u2028b", "a\u2029b", "a\u00adb", "a\ue000b", "a\ufffdb",
		"a\u034fb", "a\u3164b", "a\ufe0fb", "a\U000e0041b", "a\ufdd0b", "a\U0001fffeb", "ada@example.org", "ada\uff20example",
		"ada\ufe6bexample", "@",
	} {
		if err := checkText("text", bad, 40); err == nil {
			t.Errorf("%q is taken", bad)
		} else if !strings.HasPrefix(err.Error(), "text ") {
			t.Errorf("%q: %v does not name the member", bad, err)
		}
	}
}

// TestAppended: two records that go on from the same one do not share what they add.
func TestAppended(t *testing.T) {
	base := make([]int, 1, 4)
	a, b := appended(base, 2), appended(base, 3)
	if a[1] != 2 || b[1] != 3 || len(base) != 1 {
		t.Errorf("%v and %v from %v", a, b, base)
	}
}
