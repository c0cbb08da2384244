package table

import (
	"encoding/binary"
	"math"
	"math/big"
	"math/bits"
	"strconv"
)

// appendIBM appends the canonical decimal of an IBM System/360 double that is no missing value. It
// reports whether the value needs more than the 53 bits of an IEEE double and was rounded to one.
//
// The value is the fraction, of 56 bits, times 16 to the power of the exponent less 64.
//
// SPEC (TS-140): "all floating-point numbers are stored using the IBM-style double (truncated if the
// variable's length is less than 8)"
func appendIBM(b, field []byte) ([]byte, bool, error) {
	var full [8]byte
	copy(full[:], field)
	word := binary.BigEndian.Uint64(full[:])
	fraction := word & (1<<56 - 1)
	if fraction == 0 {
		return append(b, '0'), false, nil // zero with any sign and exponent
	}
	zeros := bits.TrailingZeros64(fraction)
	fraction >>= zeros
	exp := 4*(int(word>>56&0x7f)-64) - 56 + zeros // the value is fraction * 2^exp
	neg := word>>63 != 0
	if exp >= 0 {
		if neg {
			b = append(b, '-')
		}
		if exp+bits.Len64(fraction) <= 64 {
			return strconv.AppendUint(b, fraction<<exp, 10), false, nil
		}
		n := new(big.Int).SetUint64(fraction)
		return n.Lsh(n, uint(exp)).Append(b, 10), false, nil
	}
	// The exponent is above -313, so the double is not subnormal, and the conversion of the fraction is
	// the one rounding there is: to the nearest, ties to even.
	f := math.Ldexp(float64(fraction), exp)
	if neg {
		f = -f
	}
	b, err := appendDouble(b, f)
	return b, bits.Len64(fraction) > 53, err
}

// ibmMissing returns the code of a missing value, or 0.
//
// SPEC (TS-140): "Missing values are written out with the first byte (the exponent) indicating the
// proper missing values. All subsequent bytes are 0x00."
func ibmMissing(field []byte) byte {
	for _, c := range field[1:] {
		if c != 0 {
			return 0
		}
	}
	if isMissing(field[0]) {
		return field[0]
	}
	return 0
}
