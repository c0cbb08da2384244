package table

import "strings"

// The formats of SAS that show a number as a date, a time or both. A format that is not here and starts
// with one of the prefixes counts too: MMDDYYB, WEEKDATX, NLDATMTM, E8601DZ.
var (
	dateFormats = []string{"DATE", "DDMMYY", "MMDDYY", "YYMMDD", "JULIAN", "JULDAY", "MONYY", "MMYY", "YYMM", "YYMON", "YYQ",
		"WEEKDAT", "WORDDAT", "WEEKDAY", "DOWNAME", "MONNAME", "MONTH", "YEAR", "QTR", "DAY", "NENGO", "MINGUO", "PDJULG", "PDJULI",
		"NLDATE", "E8601DA", "B8601DA", "IS8601DA", "ND8601DA", "EURDFDD", "EURDFDE", "EURDFDN", "EURDFDW", "EURDFMN", "EURDFMY",
		"EURDFWD", "EURDFWN", "HDATE", "HEBDATE", "WEEKU", "WEEKV", "WEEKW"}
	datetimeFormats = []string{"DATETIME", "DATEAMPM", "DTDATE", "DTMONYY", "DTWKDATX", "DTYEAR", "DTYYQC", "MDYAMPM", "NLDATM",
		"E8601DT", "E8601DZ", "E8601DN", "E8601DX", "E8601LX", "B8601DT", "B8601DZ", "B8601DN", "B8601DX", "B8601LX", "IS8601DT",
		"IS8601DZ", "IS8601DN", "EURDFDT"}
	timeFormats = []string{"TIME", "TOD", "HHMM", "HOUR", "MMSS", "NLTIM", "E8601TM", "E8601TZ", "E8601TX", "E8601LZ", "B8601TM",
		"B8601TZ", "B8601TX", "B8601LZ", "IS8601TM", "IS8601TZ", "IS8601LZ"}
)

// sasTime says what a display format shows a number as: "date", "datetime", "time", or "" for others.
func sasTime(format string) string {
	name := strings.ToUpper(strings.TrimRight(format, "0123456789. "))
	for _, family := range []struct {
		kind  string
		names []string
	}{{"datetime", datetimeFormats}, {"time", timeFormats}, {"date", dateFormats}} {
		for _, n := range family.names {
			if strings.HasPrefix(name, n) {
				return family.kind
			}
		}
	}
	return ""
}
