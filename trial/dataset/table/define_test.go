package table_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial/dataset/table"
)

// odm returns a define.xml of a version with what stands in its MetaDataVersion.
func odm(version, body string) string {
	return `<?xml version="1.0" encoding="UTF-8"?><ODM xmlns="http://www.cdisc.org/ns/odm/v1.3" xmlns:def="http://www.cdisc.org/` +
		`ns/def/v2.1" ` +
		`xmlns:xlink="http://www.w3.org/1999/xlink"><Study OID="S"><GlobalVariables><StudyName>Study</StudyName>` +
		`<ProtocolName> P-1 </ProtocolName></GlobalVariables><MetaDataVersion OID="MDV" def:DefineVersion="` + version + `">` + body +
		`</MetaDataVersion></Study></ODM>`
}

func described(text string) string {
	return `<Description><TranslatedText xml:lang="en">` + text +
		`</TranslatedText><TranslatedText xml:lang="de">nein</TranslatedText></Description>`
}

var define21 = odm("2.1.0", `<def:Standards><def:Standard OID="1" Name="CDISC/NCI" Type="CT" Version="1"/>`+
	`<def:Standard OID="2" Name="ADaMIG" Type="IG" Version="1.3"/></def:Standards>`+
	`<def:ValueListDef OID="VL"><ItemRef ItemOID="IT.V" OrderNumber="1" Mandatory="No" MethodOID="MT"/></def:ValueListDef>`+
	`<ItemGroupDef OID="IG.1" Name="ADX" SASDatasetName="ADX" Domain="ADX" Purpose="Analysis" def:Structure="one record" `+
	`def:ArchiveLocationID="LF" `+
	`def:CommentOID="COM">`+described("Analysis X")+
	`<ItemRef ItemOID="IT.1" OrderNumber="1" Mandatory="Yes" KeySequence="1" Role="Identifier"/>`+
	`<ItemRef ItemOID="IT.2" OrderNumber="2" KeySequence="2"/>`+
	`<ItemRef ItemOID="IT.3" MethodOID="MT"/><ItemRef ItemOID="IT.4"/><ItemRef ItemOID="IT.NONE"/><ItemRef ItemOID="IT.1"/>`+
	`<def:Class Name="BASIC DATA STRUCTURE"/>`+
	`<def:leaf ID="LF" xlink:href="files/adx1.xpt"><def:title>adx1.xpt</def:title></def:leaf></ItemGroupDef>`+
	`<ItemGroupDef OID="IG.2" Name="ADY">`+described("Y")+`<ItemRef ItemOID="IT.5"/><ItemRef ItemOID="IT.6"/></ItemGroupDef>`+
	`<ItemDef OID="IT.1" Name="USUBJID" DataType="text" Length="8">`+described("Subject")+
	`<def:Origin Type="Predecessor">`+described("DM.USUBJID")+`</def:Origin></ItemDef>`+
	`<ItemDef OID="IT.2" Name="AVAL" DataType="float" Length="8" SignificantDigits="2" def:DisplayFormat="8.2" `+
	`def:CommentOID="COM">`+described("Value")+
	`<CodeListRef CodeListOID="CL"/><def:ValueListRef ValueListOID="VL"/></ItemDef>`+
	`<ItemDef OID="IT.3" Name="TRTGRP" DataType="text" Length="x">`+described("Group")+
	`<def:Origin Type="Predecessor" Source="Sponsor">`+described("ADSL.TRT01A; see ADRG.")+`</def:Origin></ItemDef>`+
	`<ItemDef OID="IT.4" Name="ADT" DataType="odd"><def:Origin Type="Collected" Source="Investigator"><def:DocumentRef leafID="CRF">`+
	`<def:PDFPageRef PageRefs="3 5" Type="PhysicalRef"/><def:PDFPageRef FirstPage="7" LastPage="9"/>`+
	`</def:DocumentRef></def:Origin></ItemDef>`+
	`<ItemDef OID="IT.5" Name="GRP2" DataType="text"><def:Origin Type="Predecessor">`+described("ADX.TRTGRP")+`</def:Origin></ItemDef>`+
	`<ItemDef OID="IT.6" Name="TRT01P" DataType="text"/>`+
	`<ItemDef OID="IT.V" Name="AVAL" DataType="float"><def:Origin Type="Predecessor">`+described("LB.LBSTRESN")+`</def:Origin></ItemDef>`+
	`<CodeList OID="CL" Name="C" DataType="text"><CodeListItem CodedValue="1">`+
	`<Decode><TranslatedText>no label</TranslatedText></Decode></CodeListItem></CodeList>`+
	`<MethodDef OID="MT" Name="M" Type="Computation">`+described("A sum")+`</MethodDef>`+
	`<def:CommentDef OID="COM">`+described("A remark")+`</def:CommentDef>`)

// TestDefine reads all that is read of a define.xml.
func TestDefine(t *testing.T) {
	d, err := table.ParseDefine(strings.NewReader(define21))
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(d.Version, "|", d.StudyOID, "|", d.Study, "|", d.Protocol, "|", d.OID, "|",
		d.Standard); got != "2.1.0|S|Study|P-1|MDV|ADaMIG 1.3" {
		t.Error(got)
	}
	ds := d.Dataset("adx")
	if ds == nil || ds != d.Dataset("adx1") || d.Dataset("") != nil || d.Dataset("ADZ") != nil {
		t.Fatal("the dataset is not found by its name and its file")
	}
	copied := *ds
	copied.Variables = nil
	if got := fmt.Sprintf("%+v", copied); got != "{OID:IG.1 Name:ADX Label:Analysis X SASName:ADX Domain:ADX Class:BASIC DATA STRUCTURE "+
		"Structure:one record "+
		"Purpose:Analysis File:files/adx1.xpt Comment:A remark Variables:[]}" {
		t.Error(got)
	}
	if got := fmt.Sprint(ds.Keys()); got != "[USUBJID AVAL]" {
		t.Error(got)
	}
	for name, want := range map[string]string{
		"usubjid": "IT.1 Subject text 8 0  1 1 true Identifier  [{Predecessor  DM.USUBJID }]   0 [DM.USUBJID]",
		"AVAL":    "IT.2 Value float 8 2 8.2 2 2 false  CL []  A remark 1 [LB.LBSTRESN]",
		"TRTGRP":  "IT.3 Group text 0 0  0 0 false   [{Predecessor Sponsor ADSL.TRT01A; see ADRG. }] A sum  0 [ADSL.TRT01A]",
		"ADT":     "IT.4  odd 0 0  0 0 false   [{Collected Investigator  3 5 7-9}]   0 []",
	} {
		v := ds.Variable(name)
		if v == nil {
			t.Fatalf("no variable %s", name)
		}
		if got := fmt.Sprint(v.OID, " ", v.Label, " ", v.Type, " ", v.Length, " ", v.Digits, " ", v.Format, " ", v.Order, " ", v.Key, " ",
			v.Mandatory, " ", v.Role, " ",
			v.CodeList, " ", v.Origins, " ", v.Method, " ", v.Comment, " ", len(v.Values), " ", v.Predecessors()); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if v := ds.Variable("AVAL").Values[0]; v.OID != "IT.V" || v.Method != "A sum" {
		t.Errorf("%+v", v)
	}
	notes := []string{`IT.3 has the Length "x", which is no number`, `IT.4 has the unknown type "odd"`,
		"dataset ADX refers to IT.NONE, which is not defined",
		"dataset ADX has two variables USUBJID: the first counts"}
	if !slices.Equal(d.Notes, notes) {
		t.Errorf("notes %q", d.Notes)
	}
	if got := fmt.Sprint(d.Treatments()); got != "[{ADX TRTGRP ADSL.TRT01A} {ADY GRP2 ADX.TRTGRP} {ADY TRT01P }]" {
		t.Error(got)
	}
}

// TestDefineRefused refuses what is no define.xml.
func TestDefineRefused(t *testing.T) {
	group := `<ItemGroupDef OID="G" Name="A"/>`
	for _, c := range []struct{ data, err string }{
		{"", "no MetaDataVersion"}, {"x", "no MetaDataVersion"}, {"<ODM>", "unexpected EOF"}, {"<ODM/>", "no MetaDataVersion"},
		{"<html/>", "element html is outside"},
		{odm("2.1.0", group) + "<ODM/>", "element ODM is outside"}, {odm("2.1.0", "<a></b>"), "closed by"},
		{odm("2.1.0", "&x;"), "invalid character entity"},
		{odm("", group), "no def:DefineVersion"}, {odm("3.0", group), `version of Define-XML is "3.0"`}, {odm("2.10", group), "version of"},
		{"<!DOCTYPE ODM [<!ENTITY x \"y\">]>" + odm("2.1.0", group), "document type"},
		{odm("2.1.0", group+group), "is defined twice"}, {odm("2.1.0", group+`<ItemGroupDef OID="H" Name="a"/>`), "A is defined twice"},
		{odm("2.1.0", `<ItemGroupDef OID="H"/>`), "no name"}, {odm("2.1.0", `<ItemGroupDef Name="a"/>`), "no OID"},
		{odm("2.1.0", `<ItemDef OID="I" Name="a"/><ItemDef OID="I" Name="b"/>`), "line 1: ItemDef: I is defined twice"},
		{odm("2.1.0", `<ItemDef Name="a"/>`), "no OID"},
		{odm("2.1.0", `<MethodDef OID="I"/><MethodDef OID="I"/>`), "defined twice"},
		{odm("2.1.0", `<def:CommentDef OID="I"/><def:CommentDef OID="I"/>`), "defined twice"},
		{odm("2.1.0", `<def:ValueListDef OID="I"/><def:ValueListDef OID="I"/>`), "defined twice"},
		{odm("2.1.0", `<ItemGroupDef OID="G" Name="A"><ItemRef/></ItemGroupDef>`), "no ItemOID"},
		{odm("2.1.0", `<ItemDef OID="I" OID="J"/>`), "stands twice"},
		{odm("2.1.0", `<ItemDef OID="I"><ItemDef OID="J"/></ItemDef>`), "stands inside another"},
		{odm("2.1.0", `<ItemGroupDef OID="I" Name="A"><ItemGroupDef OID="J" Name="B"/></ItemGroupDef>`), "stands inside another"},
		{odm("2.1.0", `<MetaDataVersion OID="M" DefineVersion="2.1.0"/>`), "more than one"},
		{odm("2.1.0", `<Study OID="T"/>`), "more than one study"},
		{odm("2.1.0", strings.Repeat("<a>", 100)), "nested more than 64 deep"},
		{strings.Replace(odm("2.1.0", group), "UTF-8", "UTF-16", 1), `encoding "UTF-16" is not known`}, {odm("2.1.0", "\xff"), "invalid UTF-8"},
		{strings.Replace(odm("2.1.0", "\x81"), "UTF-8", "windows-1252", 1), "byte 0x81"},
	} {
		if d, err := table.ParseDefine(strings.NewReader(c.data)); err == nil || !strings.Contains(err.Error(), c.err) {
			t.Errorf("%.200s: %v %v, want %q", c.data, d, err, c.err)
		}
	}
	// Other encodings.
	for name, in := range map[string]string{"UTF-8": "\xc3\xa9", "ISO-8859-1": "\xe9", "windows-1252": "\xe9", "us-ascii": "&#233;"} {
		s := strings.Replace(odm("2.0.0", `<ItemGroupDef OID="G" Name="A">`+described("caf"+in)+`</ItemGroupDef>`), "UTF-8", name, 1)
		if d, err := table.ParseDefine(strings.NewReader("\ufeff" + s)); err != nil || d.Datasets[0].Label != "café" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestDefineFiles reads every shared define.xml. The numbers were counted in the files.
func TestDefineFiles(t *testing.T) {
	want := map[string]string{
		"define-xml/cdiscpilot01-adam-define-v1.xml": "1.0.0 CDISC ADaM 2.1: 10 datasets, 415 variables, 1 notes; " +
			"ADAE USUBJID AETERM ASTDT AESEQ; 32 treatments",
		"define-xml/cdiscpilot01-sdtm-define-v1.xml": "1.0.0 CDISC SDTM 3.1.2: 22 datasets, 313 variables, 0 notes; " +
			"TE STUDYID ETCD; 11 treatments",
		"define-xml/send-define-2-0.xml": "2.0.0 SEND-IG 3.1: 20 datasets, 243 variables, 0 notes; DM STUDYID USUBJID; 9 treatments",
		"adam/define.xml": "2.1.0 ADaMIG 1.1: 12 datasets, 509 variables, 0 notes; " +
			"ADADAS USUBJID PARAMCD AVISIT ADT; 40 treatments",
		"sdtm/define.xml": "2.1.0 STDTMIG 3.3: 31 datasets, 439 variables, 0 notes; TE STUDYID ETCD; 14 treatments",
	}
	for _, pattern := range []string{"define-xml/*.xml", "dataset-json/*/define.xml"} {
		for _, path := range glob(t, pattern) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			d, err := table.ParseDefine(bytes.NewReader(data))
			if err != nil {
				t.Errorf("%s: %v", path, err)
				continue
			}
			n := 0
			for _, ds := range d.Datasets {
				n += len(ds.Variables)
				if ds.Label == "" || ds.Class == "" || ds.File == "" && !strings.Contains(ds.Comment, "no data exists") {
					t.Errorf("%s: dataset %s has no label, class or file", path, ds.Name)
				}
			}
			second := d.Datasets[1]
			got := fmt.Sprintf("%s %s: %d datasets, %d variables, %d notes; %s %s; %d treatments", d.Version, d.Standard, len(d.Datasets), n,
				len(d.Notes),
				second.Name, strings.Join(second.Keys(), " "), len(d.Treatments()))
			if name := filepath.ToSlash(filepath.Join(filepath.Base(filepath.Dir(path)), filepath.Base(path))); want[name] != got {
				t.Errorf("%s: %s, want %s", name, got, want[name])
			}
		}
	}
}

// TestDefineFits compares every shared Dataset-JSON table with the define.xml beside it.
func TestDefineFits(t *testing.T) {
	for _, kind := range []string{"sdtm", "adam"} {
		paths := glob(t, "dataset-json/"+kind+"/*.json")
		data, err := os.ReadFile(filepath.Join(filepath.Dir(paths[0]), "define.xml"))
		if err != nil {
			t.Fatal(err)
		}
		d, err := table.ParseDefine(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			_, tab, err := readFile(t, path)
			if err != nil {
				t.Fatal(err)
			}
			if err := d.Describe(tab); err != nil {
				t.Errorf("%s: %v", path, err)
			}
			if notes := append(filter(tab.Notes, "define.xml"), filter(tab.Notes, "the table has")...); len(notes) > 0 {
				t.Errorf("%s: %q", path, notes)
			}
		}
	}
}
