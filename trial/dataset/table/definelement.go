package table

import (
	"errors"
	"fmt"
	"strings"
)

// start reads the start of an element.
func (p *definer) start(name string, a map[string]string) error {
	d := p.define
	switch name {
	case "Study":
		if d.StudyOID != "" {
			return errors.New("there is more than one study")
		}
		d.StudyOID = a["OID"]
	case "MetaDataVersion":
		if d.Version != "" {
			return errors.New("there is more than one")
		}
		d.OID, d.Version = a["OID"], a["DefineVersion"]
		d.Standard = strings.TrimSpace(a["StandardName"] + " " + a["StandardVersion"])
		if d.Version == "" {
			return errors.New("it has no def:DefineVersion: this is ODM, but no define.xml")
		}
		if v := d.Version; v != "1.0" && v != "2.0" && v != "2.1" && !strings.HasPrefix(v, "1.0.") &&
			!strings.HasPrefix(v, "2.0.") && !strings.HasPrefix(v, "2.1.") {
			return fmt.Errorf("the version of Define-XML is %q, want 1.0, 2.0 or 2.1", v)
		}
	case "Standard": // SPEC (Define-XML 2.1): def:Standards holds a def:Standard for each standard; Type="IG"
		if a["Type"] == "IG" && d.Standard == "" {
			d.Standard = strings.TrimSpace(a["Name"] + " " + a["Version"])
		}
	case "ItemGroupDef":
		return p.startGroup(a)
	case "Class": // an attribute before version 2.1
		if p.group != nil && p.within("ItemGroupDef") {
			p.group.Class = a["Name"]
		}
	case "ItemRef":
		return p.startRef(a)
	case "ValueListDef":
		p.list = a["OID"]
		p.lists[p.list] = nil
		return p.defines(name, p.list)
	case "ItemDef":
		return p.startItem(a)
	case "CodeListRef":
		if p.item != nil && p.within("ItemDef") {
			p.item.CodeList = a["CodeListOID"]
		}
	case "ValueListRef":
		if p.item != nil && p.within("ItemDef") {
			p.item.values = a["ValueListOID"]
		}
	case "Origin":
		if p.item != nil && p.within("ItemDef") {
			p.item.Origins = append(p.item.Origins, Origin{Type: a["Type"], Source: a["Source"]})
		}
	case "PDFPageRef":
		if o := p.origin(); o != nil {
			pages := a["PageRefs"]
			if pages == "" && a["FirstPage"] != "" {
				pages = a["FirstPage"] + "-" + a["LastPage"]
			}
			o.Pages = strings.TrimSpace(o.Pages + " " + pages)
		}
	case "MethodDef", "ComputationMethod":
		p.method = a["OID"]
		return p.defines(name, p.method)
	case "CommentDef":
		p.remark = a["OID"]
		return p.defines(name, p.remark)
	case "leaf":
		if p.leaf = a["ID"]; p.leaf != "" {
			p.leaves[p.leaf] = a["href"]
		}
	case "Description":
		p.lang = false
	}
	return nil
}

// startGroup reads the attributes of an ItemGroupDef.
func (p *definer) startGroup(a map[string]string) error {
	if p.group != nil {
		return errors.New("it stands inside another")
	}
	p.group = &Dataset{OID: a["OID"], Name: a["Name"], Label: a["Label"], SASName: a["SASDatasetName"], Domain: a["Domain"],
		Class: a["Class"], Structure: a["Structure"], Purpose: a["Purpose"], Comment: a["Comment"]}
	if p.group.Name == "" {
		return errors.New("it has no name")
	}
	if err := p.defines("name", strings.ToUpper(p.group.Name)); err != nil {
		return err
	}
	p.define.Datasets = append(p.define.Datasets, p.group)
	p.refs = append(p.refs, nil)
	p.keys = append(p.keys, a["DomainKeys"])
	p.archives = append(p.archives, a["ArchiveLocationID"])
	p.remarks = append(p.remarks, a["CommentOID"])
	return p.defines("ItemGroupDef", p.group.OID)
}

// startRef reads an ItemRef of a dataset or a value list.
func (p *definer) startRef(a map[string]string) error {
	r := ref{oid: a["ItemOID"], role: a["Role"], method: a["MethodOID"], mandatory: a["Mandatory"] == "Yes"}
	if r.oid == "" {
		return errors.New("it has no ItemOID")
	}
	r.order, r.key = p.number(r.oid, "OrderNumber", a["OrderNumber"]), p.number(r.oid, "KeySequence", a["KeySequence"])
	switch {
	case p.group != nil && p.within("ItemGroupDef"):
		i := len(p.refs) - 1
		if len(p.refs[i]) == MaxColumns {
			return fmt.Errorf("a dataset has more than %d variables", MaxColumns)
		}
		p.refs[i] = append(p.refs[i], r)
	case p.list != "" && p.within("ValueListDef"):
		p.lists[p.list] = append(p.lists[p.list], r)
	}
	return nil
}

// startItem reads the attributes of an ItemDef.
func (p *definer) startItem(a map[string]string) error {
	if p.item != nil {
		return errors.New("it stands inside another")
	}
	v := &Variable{OID: a["OID"], Name: a["Name"], Label: a["Label"], Type: a["DataType"], Format: a["DisplayFormat"],
		Comment: a["Comment"], method: a["ComputationMethodOID"], comment: a["CommentOID"]}
	v.Length = p.number(v.OID, "Length", a["Length"])
	v.Digits = p.number(v.OID, "SignificantDigits", a["SignificantDigits"])
	if a["Origin"] != "" {
		v.Origins = []Origin{{Type: a["Origin"]}}
	}
	if defineTypes[v.Type] == "" {
		p.note("%s has the unknown type %q", v.OID, v.Type)
	}
	p.item, p.items[v.OID] = v, v
	return p.defines("ItemDef", v.OID)
}

// origin returns the open def:Origin, if there is one.
func (p *definer) origin() *Origin {
	if p.item == nil || len(p.item.Origins) == 0 {
		return nil
	}
	for _, name := range p.path {
		if name == "Origin" {
			return &p.item.Origins[len(p.item.Origins)-1]
		}
	}
	return nil
}

// end reads the end of an element: the texts are complete.
func (p *definer) end(name string) {
	text := strings.TrimSpace(p.text.String())
	switch name {
	case "ItemGroupDef":
		p.group = nil
	case "ItemDef":
		p.item = nil
	case "ValueListDef":
		p.list = ""
	case "StudyName":
		p.define.Study = text
	case "ProtocolName":
		p.define.Protocol = text
	case "ComputationMethod": // version 1.0
		p.methods[p.method], p.method = text, ""
	case "MethodDef":
		p.method = ""
	case "CommentDef":
		p.remark = ""
	case "TranslatedText":
		if !p.within("Description") || len(p.path) < 3 || p.lang {
			return // of several languages the first counts
		}
		p.lang = true
		switch p.path[len(p.path)-3] {
		case "Origin":
			if o := p.origin(); o != nil {
				o.Text = text
			}
		case "ItemDef":
			p.item.Label = text
		case "ItemGroupDef":
			p.group.Label = text
		case "MethodDef":
			p.methods[p.method] = text
		case "CommentDef":
			p.comments[p.remark] = text
		}
	}
}

// resolve puts the definitions together.
func (p *definer) resolve() error {
	d, budget := p.define, maxDefinitions
	for i, ds := range d.Datasets {
		if href, ok := p.leaves[p.archives[i]]; ok {
			ds.File = href
		}
		if text := p.comments[p.remarks[i]]; text != "" {
			ds.Comment = text
		}
		names := map[string]bool{}
		for _, r := range p.refs[i] {
			v, err := p.variable(r, &budget, true)
			if err != nil {
				return fmt.Errorf("dataset %s: %w", ds.Name, err)
			}
			if v == nil {
				p.note("dataset %s refers to %s, which is not defined", ds.Name, r.oid)
				continue
			}
			if names[strings.ToUpper(v.Name)] {
				p.note("dataset %s has two variables %s: the first counts", ds.Name, v.Name)
				continue
			}
			names[strings.ToUpper(v.Name)] = true
			ds.Variables = append(ds.Variables, v)
		}
		p.domainKeys(ds, p.keys[i])
		seen := map[int]string{}
		for _, v := range ds.Variables {
			if other := seen[v.Key]; v.Key > 0 && other != "" {
				p.note("dataset %s: %s and %s are both number %d of the key", ds.Name, other, v.Name, v.Key)
			}
			seen[v.Key] = v.Name
		}
	}
	if len(d.Datasets) == 0 {
		p.note("no dataset is defined")
	}
	return nil
}

// domainKeys reads the keys of version 1.0.
func (p *definer) domainKeys(ds *Dataset, keys string) {
	names := strings.FieldsFunc(keys, func(r rune) bool { return strings.ContainsRune(" ,;\t\r\n", r) })
	for n, name := range names {
		if v := ds.Variable(name); v != nil {
			v.Key = n + 1
		} else {
			p.note("dataset %s has the key %s, which is no variable of it", ds.Name, name)
		}
	}
}

// variable makes a variable of a reference, or nil if it is not defined.
func (p *definer) variable(r ref, budget *int, values bool) (*Variable, error) {
	item := p.items[r.oid]
	if item == nil {
		return nil, nil
	}
	if *budget--; *budget < 0 {
		return nil, fmt.Errorf("there are more than %d variables and values", maxDefinitions)
	}
	v := *item
	v.Order, v.Key, v.Mandatory, v.Role = r.order, r.key, r.mandatory, r.role
	method := r.method
	if method == "" {
		method = v.method
	}
	v.Method = p.methods[method]
	if text := p.comments[v.comment]; text != "" {
		v.Comment = text
	}
	if values {
		for _, r := range p.lists[v.values] {
			value, err := p.variable(r, budget, false)
			if err != nil {
				return nil, err
			}
			if value != nil {
				v.Values = append(v.Values, value)
			}
		}
	}
	return &v, nil
}
