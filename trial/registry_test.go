package trial_test

import (
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial"
)

// TestRegistryNumbers has, for every registry, the canonical form and what people type.
func TestRegistryNumbers(t *testing.T) {
	for want, typed := range map[string][]string{
		"nct:NCT01234567": {"NCT01234567", "nct01234567", " NCT01234567 ", "NCT:NCT01234567", "nct:nct01234567"},
		"euct:2022-501234-12": {"2022-501234-12", "2022-501234-12-00", "2022-501234-12-01", "euct:2022-501234-12-00",
			"CTIS2022-501234-12-00", "EUCT2022-501234-12-00", "EU CT 2022-501234-12-00", "EU CT number: 2022-501234-12", "CTIS " +
				"2022-501234-12"},
		"eudract:2004-000123-45": {"2004-000123-45", "2004-000123-45-GB", "EUCTR2004-000123-45-GB", "EUCTR2004-000123-45-3rd",
			"EUCTR2004-000123-45-Outside-EU/EEA", "EudraCT 2004-000123-45", "EudraCT number: 2004-000123-45", "eudract:2004-000123-45"},
		"eudract:2020-001038-36":   {"2020-001038-36"},
		"isrctn:ISRCTN12345678":    {"ISRCTN12345678", "isrctn12345678", "ISRCTN 12345678", "ISRCTN-12345678"},
		"utn:U1111-1234-5678":      {"U1111-1234-5678", "u1111-1234-5678", "UTN U1111-1234-5678"},
		"jrct:jRCT2031200001":      {"jRCT2031200001", "JRCT2031200001", "jrct:jRCT2031200001", "JPRN-jRCT2031200001"},
		"jrct:jRCTs031180001":      {"jRCTs031180001", "JRCTS031180001", "JPRN-jRCTs031180001"},
		"umin:UMIN000012345":       {"UMIN000012345", "JPRN-UMIN000012345", "UMIN-CTR UMIN000012345"},
		"umin:C000000123":          {"C000000123", "JPRN-C000000123"},
		"jma:JMA-IIA00012":         {"JMA-IIA00012", "JPRN-JMA-IIA00012"},
		"phrr:PHRR200101-002345":   {"PHRR200101-002345"},
		"snctp:SNCTP000001234":     {"SNCTP000001234"},
		"ctr:CTR20201234":          {"CTR20201234"},
		"japiccti:JapicCTI-121987": {"JapicCTI-121987", "japiccti-121987", "JPRN-JapicCTI-121987"},
		"actrn:ACTRN12605000001606": {"ACTRN12605000001606", "actrn12605000001606", "ACTRN012605000001606", "ACTRN12605000001606p",
			"ACTRN 12605000001606"},
		"chictr:ChiCTR2000029308":    {"ChiCTR2000029308", "ChiCTR-2000029308", "CHICTR2000029308", "ChiCTR 2000029308"},
		"chictr:ChiCTR-TRC-08000001": {"ChiCTR-TRC-08000001", "chictr-trc-08000001"},
		"ctri:CTRI/2017/04/008362":   {"CTRI/2017/04/008362", "ctri/2017/04/008362", "CTRI:CTRI/2017/04/008362"},
		"ctri:CTRI/2009/091/000173":  {"CTRI/2009/091/000173"},
		"drks:DRKS00000001":          {"DRKS00000001", "drks00000001", "DRKS 00000001"},
		"kct:KCT0001234":             {"KCT0001234"},
		"irct:IRCT20080901001165N37": {"IRCT20080901001165N37", "irct20080901001165n37"},
		"nl:NL-OMON20001":            {"NL-OMON20001", "nl-omon20001"},
		"nl:NTR1234":                 {"NTR1234", "NTR 1234"},
		"nl:NL1234":                  {"NL1234"},
		"pactr:PACTR202001234567890": {"PACTR202001234567890"},
		"rebec:RBR-6X9WZJ":           {"RBR-6x9wzj", "rbr-6x9wzj"},
		"rpcec:RPCEC00000001":        {"RPCEC00000001"},
		"slctr:SLCTR/2019/001":       {"SLCTR/2019/001"},
		"tctr:TCTR20200101001":       {"TCTR20200101001"},
		"repec:PER-001-20":           {"PER-001-20", "PER 001-20"},
		"lbctr:LBCTR2020010001":      {"LBCTR2020010001"},
		"itmctr:ITMCTR2020000001":    {"ITMCTR2020000001"},
	} {
		for _, s := range append(typed, want) {
			if got, err := trial.ParseIdentifier(s); got != want {
				t.Errorf("%q is %q (%v), not %s", s, got, err, want)
			}
		}
	}
	for _, near := range []string{
		"", ":", "nct:", "NCT0123456", "NCT012345678", "NCT 01234567", "NCTO1234567", "xNCT01234567", "NCT０１２３４５６７",
		"2022-401234-12", "2022-601234-12", "2022-50123-12", "2022-501234", "2022-501234-12-0", "2022-501234-12-000", "2022-501234-12-GB",
		"1022-501234-12", "2019-501234-12",
		"2004-100123-45", "EUCTR2022-501234-12", "2004-000123-45-GBR", "eudract:2022-501234-12", "euct:2004-000123-45",
		"nct:2004-000123-45", "isrctn:NCT01234567",
		"ISRCTN1234567", "U1111-1234-567", "U1112-1234-5678", "jRCT203120000", "jRCTs0311800012", "jRCTx031180001", "UMIN12345",
		"ACTRN1260500000160", "ChiCTRTRC-0800000", "ChiCTR200002",
		"CTRI-2017-04-008362", "DRKS0000001", "KCT001234", "IRCT20080901001165", "NL", "RBR-", "SLCTR/2019/1", "sponsor:acme/X-1",
		"sponsor:acme/NCT01234567", "Ada Lovelace", "ada@example.org",
		"NCT00000000", "nct:NCT00000000", "ISRCTN00000000", "U0000-0000-0000", "U1111-0000-0000", "2022-000000-00", "jRCT0000000000",
		"CTRI/2020/01/000000", "DRKS00000000", "47772399", "NL20001.068.07", "HKUCTR-1234", "C00000012",
		"NCT01234567;NCT01234568", "NCT01234567/../x", strings.Repeat("9", 5000),
	} {
		if got, err := trial.ParseIdentifier(near); err == nil {
			t.Errorf("%.60q is taken as %s", near, got)
		}
	}
}

func FuzzParseIdentifier(f *testing.F) {
	for _, s := range []string{"nct01234567", "2022-501234-12-00", "EUCTR2004-000123-45-GB", "jRCTs031180001", "chictr-trc-08000001",
		"sponsor:a/b", "rbr-6x9wzj", "ſlctr/2019/001"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, err := trial.ParseIdentifier(s)
		if err != nil {
			return
		}
		if again, err := trial.ParseIdentifier(id); again != id {
			t.Fatalf("%q is %q, which is %q (%v)", s, id, again, err)
		}
		for _, c := range id {
			if c <= ' ' || c > '~' {
				t.Fatalf("%q is %q, which is not plain ASCII", s, id)
			}
		}
	})
}
