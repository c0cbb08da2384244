package sensor

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// The bounds of a temperature in milli-degrees Celsius: absolute zero and 1000 °C.
const (
	lowest  = -273_150
	highest = 1_000_000
)

// units has the spellings of units, in lower case and without spaces and degree signs.
var units = map[string]string{"c": "C", "f": "F", "k": "K", "cel": "C", "fah": "F", "kel": "K", "celsius": "C", "fahrenheit": "F",
	"kelvin": "K", "degc": "C", "degf": "F", "degk": "K", "degreec": "C", "degreef": "F", "degreesc": "C", "degreesf": "F",
	"centigrade":    "C",
	"degreecelsius": "C", "degreescelsius": "C", "degreesfahrenheit": "F", "degreefahrenheit": "F", "gradcelsius": "C",
	"gradfahrenheit": "F",
	"degréscelsius":  "C", "gradoscelsius": "C", "degcelsius": "C", "degfahrenheit": "F"}

// unitOf returns "C", "F" or "K", or "" if s is no unit of temperature.
func unitOf(s string) string {
	s = strings.ToLower(strings.NewReplacer("℃", "c", "℉", "f", "°", "", "º", "", "˚", "", " ", "", "\u00a0", "", ".", "").Replace(s))
	return units[s]
}

var (
	freezing, fifths, zero = big.NewRat(32, 1), big.NewRat(5, 9), big.NewRat(27315, 100) // °F, °C for one °F, K
	thousand               = big.NewRat(1000, 1)
	coldest, warmest       = big.NewRat(lowest, 1), big.NewRat(highest, 1)
)

// milli returns a decimal number of degrees of a unit as milli-degrees Celsius, exactly: the
// next integer not above and the next not below. The number may have an exponent.
func milli(number, unit string) (low, high int64, err error) {
	n, err := parseDecimal(number)
	if err != nil {
		return 0, 0, err
	}
	switch unit {
	case "C":
	case "F":
		n.Sub(n, freezing).Mul(n, fifths)
	case "K":
		n.Sub(n, zero)
	default:
		return 0, 0, fmt.Errorf("%q is no unit: type C, F or K", short(unit))
	}
	n.Mul(n, thousand)
	if n.Cmp(coldest) < 0 || n.Cmp(warmest) > 0 {
		return 0, 0, fmt.Errorf("%s %s is no temperature between -273.15 and 1000 °C", short(number), unit)
	}
	floor, rest := new(big.Int).DivMod(n.Num(), n.Denom(), new(big.Int)) // Euclidean; the denominator is positive: rounds down
	low, high = floor.Int64(), floor.Int64()
	if rest.Sign() != 0 {
		high++
	}
	return low, high, nil
}

var errDecimal = errors.New("is not a decimal number such as 5.1")

// parseDecimal reads a number such as -5.25 or 1.2e1, of at most 40 characters and an exponent of at most two digits.
func parseDecimal(s string) (*big.Rat, error) {
	digits, point, exp := 0, false, -1
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			digits++
		case (c == '-' || c == '+') && (i == 0 || exp == i-1):
		case c == '.' && !point && exp < 0:
			point = true
		case (c == 'e' || c == 'E') && exp < 0 && digits > 0:
			exp, digits = i, 0
		default:
			return nil, fmt.Errorf("%q %w", short(s), errDecimal)
		}
	}
	if digits == 0 || len(s) > 40 || s[len(s)-1] == '.' || exp >= 0 && digits > 2 {
		return nil, fmt.Errorf("%q %w", short(s), errDecimal)
	}
	n, ok := new(big.Rat).SetString(s)
	if !ok {
		return nil, fmt.Errorf("%q %w", short(s), errDecimal)
	}
	return n, nil
}
