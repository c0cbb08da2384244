package custody

import (
	"fmt"
	"strings"
)

// gs is the character that a scanner sends for FNC1 where it separates element strings.
const gs = "\x1d"

// An ai is an application identifier, or a range of them that share a format: some digits, then
// up to more characters of any kind or digits.
type ai struct {
	first, last string // of equal length
	digits      int    // that many digits
	more        int    // then 0 to more characters; at least 1 if digits is 0
	numeric     bool   // more are digits
}

// ais are the application identifiers of the GS1 General Specifications, section 3.2, as far as
// a label can carry them.
var ais = []ai{
	{"00", "00", 18, 0, false}, {"01", "03", 14, 0, false},
	{"10", "10", 0, 20, false}, {"11", "13", 6, 0, false}, {"15", "17", 6, 0, false},
	{"20", "20", 2, 0, false}, {"21", "22", 0, 20, false},
	{"235", "235", 0, 28, false}, {"240", "241", 0, 30, false}, {"242", "242", 0, 6, true}, {"243", "243", 0, 20, false},
	{"250", "251", 0, 30, false}, {"253", "253", 13, 17, false}, {"254", "254", 0, 20, false}, {"255", "255", 13, 12, true},
	{"30", "30", 0, 8, true}, {"3100", "3699", 6, 0, false}, {"37", "37", 0, 8, true},
	{"3900", "3909", 0, 15, true}, {"3910", "3919", 3, 15, true}, {"3920", "3929", 0, 15, true}, {"3930", "3939", 3, 15, true},
	{"3940", "3949", 4, 0, false}, {"3950", "3959", 6, 0, false},
	{"400", "401", 0, 30, false}, {"402", "402", 17, 0, false}, {"403", "403", 0, 30, false}, {"410", "417", 13, 0, false},
	{"420", "420", 0, 20, false}, {"421", "421", 3, 9, false}, {"422", "422", 3, 0, false}, {"423", "423", 3, 12, true},
	{"424", "426", 3, 0, false}, {"427", "427", 0, 3, false}, {"4300", "4320", 0, 70, false}, {"4321", "4323", 1, 0, false},
	{"4324", "4325", 10, 0, false}, {"4326", "4326", 6, 0, false}, {"4330", "4333", 6, 1, false},
	{"7001", "7001", 13, 0, false}, {"7002", "7002", 0, 30, false}, {"7003", "7003", 10, 0, false}, {"7004", "7004", 0, 4, true},
	{"7005", "7005", 0, 12, false}, {"7006", "7006", 6, 0, false}, {"7007", "7007", 6, 6, true}, {"7008", "7008", 0, 3, false},
	{"7009", "7009", 0, 10, false}, {"7010", "7010", 0, 2, false}, {"7011", "7011", 6, 4, true}, {"7020", "7022", 0, 20, false},
	{"7023", "7023", 0, 30, false}, {"7030", "7039", 3, 27, false}, {"7040", "7040", 1, 3, false}, {"710", "717", 0, 20, false},
	{"7230", "7239", 0, 30, false}, {"7240", "7240", 0, 20, false}, {"7241", "7241", 2, 0, false}, {"7242", "7242", 0, 25, false},
	{"8001", "8001", 14, 0, false}, {"8002", "8002", 0, 20, false}, {"8003", "8003", 14, 16, false}, {"8004", "8004", 0, 30, false},
	{"8005", "8005", 6, 0, false}, {"8006", "8006", 18, 0, false}, {"8007", "8007", 0, 34, false}, {"8008", "8008", 8, 4, true},
	{"8009", "8009", 0, 50, false}, {"8010", "8010", 0, 30, false}, {"8011", "8011", 0, 12, true}, {"8012", "8012", 0, 20, false},
	{"8013", "8013", 0, 25, false}, {"8017", "8018", 18, 0, false}, {"8019", "8019", 0, 10, true}, {"8020", "8020", 0, 25, false},
	{"8026", "8026", 18, 0, false}, {"8030", "8030", 0, 90, false}, {"8110", "8110", 0, 70, false}, {"8111", "8111", 4, 0, false},
	{"8112", "8112", 0, 70, false}, {"8200", "8200", 0, 70, false},
	{"90", "90", 0, 30, false}, {"91", "99", 0, 90, false},
}

// An element is an application identifier and its value.
type element struct{ ai, value string }

// lookup returns the application identifier at the beginning of s and its format.
func lookup(s string) (string, ai, bool) {
	for _, a := range ais {
		n := len(a.first)
		if len(s) >= n && s[:n] >= a.first && s[:n] <= a.last && allDigits(s[:n]) {
			return s[:n], a, true
		}
	}
	return "", ai{}, false
}

// check checks that a value has the format of its application identifier.
func (a ai) check(id, value string) error {
	least, most := max(a.digits, 1), a.digits+a.more
	switch {
	case len(value) < least || len(value) > most:
		want := fmt.Sprintf("%d to %d", least, most)
		if least == most {
			want = fmt.Sprint(most)
		}
		return fmt.Errorf("AI %s is followed by %d characters, not %s: scan again, or type the label as it is printed",
			id, len(value), want)
	case !allDigits(value[:a.digits]), a.numeric && !allDigits(value):
		return fmt.Errorf("AI %s is followed by %.40q, where digits belong: scan again, or type the label as it is printed", id, value)
	}
	for i := range len(value) {
		if value[i] < ' ' || value[i] > '~' {
			return fmt.Errorf("AI %s is followed by %.40q, which has a character that no GS1 label has: scan again", id, value)
		}
	}
	return nil
}

// allDigits reports whether s has nothing but the digits 0 to 9.
func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// charset82 reports whether s has nothing but the characters of GS1's character set 82, from
// figure 7.11-1 of the General Specifications.
func charset82(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && !strings.ContainsRune(`!"%&'()*+,-./:;<=>?_`, rune(c)) {
			return false
		}
	}
	return true
}

// checkDigit returns the check digit after some digits: General Specifications, section 7.9.1.
func checkDigit(digits string) byte {
	sum := 0
	for i := range len(digits) {
		n := int(digits[len(digits)-1-i] - '0')
		if i%2 == 0 {
			n *= 3
		}
		sum += n
	}
	return byte('0' + (10-sum%10)%10)
}

// checkKey checks the last digit of a GTIN, an SSCC or a GLN, which name calls it.
func checkKey(name, key string) error {
	if !allDigits(key) || key == "" {
		return fmt.Errorf("%s %.40q has characters other than digits: scan again", name, key)
	}
	last := len(key) - 1
	if want := checkDigit(key[:last]); key[last] != want {
		return fmt.Errorf("%s %s has the check digit %c, but %c is right: scan again, or compare each digit with the label",
			name, key, key[last], want)
	}
	return nil
}
