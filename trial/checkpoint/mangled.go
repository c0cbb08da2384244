package checkpoint

import (
	"bytes"
	"errors"
)

// Mangled says what an editor, a mail program or a transfer did to a file whose lines should
// end in a line feed alone, or returns nil if it sees nothing. Such a file is refused all the
// same: the formats have one encoding, and a proof must not be repaired before it is checked.
func Mangled(data []byte) error {
	switch {
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		return errors.New("it begins with a byte order mark (BOM), which an editor put there: " +
			"ask for the file as it was, or save it as UTF-8 without BOM")
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		return errors.New("it is in UTF-16, as an editor saved it: ask for the file as it was, or save it as UTF-8 without BOM")
	case bytes.Contains(data, []byte("\r\n")):
		return errors.New("its lines end in CRLF, which an editor, a mail program or a transfer in text mode put there: " +
			"ask for the file as it was, or save it with LF line ends")
	}
	return nil
}
