// Package table reads the tables that trials submit, and gives one neutral form of their rows.
//
// It reads SAS transport files (XPT, version 5, and the extended version 8), Dataset-JSON 1.1 as
// JSON, as NDJSON and compressed, and CSV. Each can also come inside gzip. [Open] finds out which
// it is from the content. The rows of a table follow one another; a table may be larger than
// memory. [ParseDefine] reads the define.xml that describes the tables.
//
// # The canonical form
//
// A cell is one of three kinds, and [AppendCell] encodes it as one byte for the kind and the
// bytes of the value. Two cells are equal if and only if their encodings are.
//
//	M and a code    a missing value: '.', or '_' or 'A' to 'Z' for a special missing value of SAS
//	T and UTF-8     a text, without the blanks (U+0020) at its end; it is not empty
//	N and a decimal a number
//
// An empty text, a text of blanks alone, a JSON null and the SAS missing value '.' are all the
// same missing value, M and '.'. Dataset-JSON has null and "" for it, XPT has blanks and '.', and
// tools write the one for the other. A text that is not empty is kept as it is: leading blanks,
// line ends, control characters and the Unicode form all count.
//
// A decimal has an optional minus sign, digits without needless zeros in front, and, if the number
// is not whole, a point and digits that do not end in zero: "-12", "0", "0.5". There is no exponent,
// and no minus zero.
//
//   - A whole number is written in full and exactly, however large it is.
//   - Any other number of XPT, of the Dataset-JSON types float and double, and of the Define-XML type
//     float in CSV, is taken to the nearest IEEE 754 double (ties to even), and written with the fewest digits that lead back
//     to that double.
//   - A number of the type integer or decimal is exact. Zeros at its end are dropped: "1.50" is "1.5".
//
// The second rule is the one under which XPT and Dataset-JSON agree. Tools write JSON from doubles,
// with 15 to 17 digits, so the digits of the file are no more than a name of the double. An IBM
// double of XPT has a fraction of 56 bits; a tool that wrote it from an IEEE double leaves the
// last bits zero, and then the rule loses nothing. If an XPT value that is not whole needs more than
// 53 bits, the bits that are lost are reported as a note with the name of the column. A JSON number
// with more than 17 significant digits, and XPT's 0 with a minus sign, lose theirs too.
//
// # Dates
//
// SAS keeps a date as the days since 1960-01-01, a time as seconds and a date with a time as seconds
// since 1960-01-01T00:00:00. Only the display format of the column tells. Dataset-JSON has ISO 8601
// text instead. Neither is converted here: the cells of such a column are numbers from XPT and
// texts from Dataset-JSON, they are not equal, and a note names each such column in both files. In CSV
// both occur: a cell of such a column that is no number is a text, and a note says so.
//
// # Notes
//
// Whatever a reader had to decide about a table beyond what its format says stands in Table.Notes, in the
// order in which it came up. The notes are complete when Next has returned io.EOF. A reader that has not
// returned io.EOF has shown only a part, and a table that ends in an error must not be used.
//
// # What it must not know
//
// The package reads what it is given. It knows no file name beyond what the caller says, no network, no
// clock, no log and no other package of this module, and it runs in a browser.
package table
