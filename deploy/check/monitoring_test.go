package check

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
	"sigs.k8s.io/yaml"
)

// ofPrometheus are labels and metrics that Prometheus adds itself.
var ofPrometheus = []string{"job", "instance"}

var series = regexp.MustCompile(`(?m)^([a-z_]+)(?:\{(.*)\})? \S+$`)

// metrics returns the labels of each metric that a log and a witness at work show.
func metrics(t *testing.T) map[string]map[string]bool {
	t.Helper()
	s := newStand(t)
	log, witness := s.running()
	for _, path := range []string{log + "/healthz", log + "/readyz", witness + "/healthz"} { // what Kubernetes asks for
		if status, body := s.get(path); status != 200 {
			t.Errorf("%s: status %d: %s", path, status, body)
		}
	}
	known := map[string]map[string]bool{"up": {}}
	for _, url := range []string{log, witness} {
		_, text := s.get(url + "/metrics")
		for _, m := range series.FindAllStringSubmatch(text, -1) {
			if known[m[1]] == nil {
				known[m[1]] = map[string]bool{}
			}
			for _, label := range regexp.MustCompile(`([a-z_]+)="`).FindAllStringSubmatch(m[2], -1) {
				known[m[1]][label[1]] = true
			}
		}
	}
	if len(known) < 40 {
		t.Fatalf("only %d metrics: %v", len(known), known)
	}
	return known
}

// check parses an expression, and wants that each metric and label in it is known.
func check(known map[string]map[string]bool, expr string) error {
	tree, err := parser.NewParser(parser.Options{}).ParseExpr(strings.ReplaceAll(expr, "$__rate_interval", "5m"))
	if err != nil {
		return err
	}
	have := map[string]bool{}
	parser.Inspect(tree, func(n parser.Node, _ []parser.Node) error {
		v, ok := n.(*parser.VectorSelector)
		switch {
		case !ok || err != nil:
			return nil
		case known[v.Name] == nil:
			err = fmt.Errorf("there is no metric %s", v.Name)
			return nil
		}
		for label := range known[v.Name] {
			have[label] = true
		}
		for _, m := range v.LabelMatchers {
			if m.Name != "__name__" && !known[v.Name][m.Name] && !slices.Contains(ofPrometheus, m.Name) {
				err = fmt.Errorf("%s has no label %s", v.Name, m.Name)
			}
		}
		return nil
	})
	parser.Inspect(tree, func(n parser.Node, _ []parser.Node) error {
		if a, ok := n.(*parser.AggregateExpr); ok && err == nil {
			for _, label := range a.Grouping {
				if !have[label] && !slices.Contains(ofPrometheus, label) {
					err = fmt.Errorf("nothing has the label %s", label)
				}
			}
		}
		return nil
	})
	return err
}

// An alert is a rule of alerts.yaml.
type alert struct {
	Alert, Expr, For    string
	Labels, Annotations map[string]string
}

func alerts(t *testing.T) (list []alert) {
	t.Helper()
	var file struct {
		Groups []struct {
			Name  string
			Rules []alert
		}
	}
	if err := yaml.UnmarshalStrict([]byte(read(t, "monitoring/alerts.yaml")), &file); err != nil {
		t.Fatal(err)
	}
	for _, g := range file.Groups {
		list = append(list, g.Rules...)
	}
	if len(list) < 20 {
		t.Fatalf("%d alerts", len(list))
	}
	return list
}

type panel struct {
	ID      int
	Type    string
	Title   string
	GridPos struct{ H, W, X, Y int }
	Targets []struct{ Expr, LegendFormat string }
}

func panels(t *testing.T) []panel {
	t.Helper()
	var d struct {
		Title, UID string
		Panels     []panel
	}
	if err := json.Unmarshal([]byte(read(t, "monitoring/dashboard.json")), &d); err != nil || d.UID == "" || len(d.Panels) < 20 {
		t.Fatalf("%d panels: %v", len(d.Panels), err)
	}
	return d.Panels
}

// TestAlerts: what alerts and dashboard ask for is what a running log and its witness show, and
// each alert has a section in the runbook.
func TestAlerts(t *testing.T) {
	known := metrics(t)
	runbook := anchors(t, "docs/runbook.md")
	for _, a := range alerts(t) {
		if err := check(known, a.Expr); err != nil {
			t.Errorf("%s: %v", a.Alert, err)
		}
		want := "https://github.com/trialproof/trialproof/blob/main/docs/runbook.md#" + strings.ToLower(a.Alert)
		if a.Annotations["runbook_url"] != want || !runbook["#"+strings.ToLower(a.Alert)] {
			t.Errorf("%s has no section in docs/runbook.md, or does not point there: %s", a.Alert, a.Annotations["runbook_url"])
		}
		if s := a.Labels["severity"]; s != "critical" && s != "warning" || a.Annotations["summary"] == "" {
			t.Errorf("%s: severity %q, summary %q", a.Alert, s, a.Annotations["summary"])
		}
		delete(runbook, "#"+strings.ToLower(a.Alert))
	}
	for anchor := range runbook {
		if strings.HasPrefix(anchor, "#trialproof") || strings.HasPrefix(anchor, "#trialwitness") {
			t.Errorf("docs/runbook.md has a section %s, and there is no such alert", anchor)
		}
	}
	for _, p := range panels(t) {
		for _, x := range p.Targets {
			if err := check(known, x.Expr); err != nil {
				t.Errorf("the panel %q: %v", p.Title, err)
			}
			for _, m := range regexp.MustCompile(`\{\{(\w+)\}\}`).FindAllStringSubmatch(x.LegendFormat, -1) {
				if err := check(known, strings.Replace("sum by (LABEL) ("+x.Expr+")", "LABEL", m[1], 1)); err != nil {
					t.Errorf("the legend of %q: %v", p.Title, err)
				}
			}
		}
	}
	// What is wrong is noticed.
	for _, expr := range []string{"trialproof_no_such_metric > 0", `trialproof_ready{colour="red"}`, "sum by (colour) (trialproof_ready)",
		"trialproof_ready >", "rate(trialproof_ready)"} {
		if check(known, expr) == nil {
			t.Errorf("%s is taken", expr)
		}
	}
}

// TestAlertExamples: Prometheus's own tool reads the rules and the configuration, and each alert
// fires, and does not, as its examples say.
func TestAlertExamples(t *testing.T) {
	var file struct {
		Tests []struct {
			AlertRuleTest []struct {
				Alertname string            `json:"alertname"`
				ExpAlerts []json.RawMessage `json:"exp_alerts"`
			} `json:"alert_rule_test"`
		}
	}
	if err := yaml.Unmarshal([]byte(read(t, "monitoring/alerts_test.yaml")), &file); err != nil {
		t.Fatal(err)
	}
	fires, rests := map[string]bool{}, map[string]bool{}
	for _, x := range file.Tests {
		for _, e := range x.AlertRuleTest {
			if len(e.ExpAlerts) > 0 {
				fires[e.Alertname] = true
			} else {
				rests[e.Alertname] = true
			}
		}
	}
	for _, a := range alerts(t) {
		if !fires[a.Alert] || !rests[a.Alert] && a.For != "" {
			t.Errorf("%s: an example in which it fires: %v, and one in which it does not: %v", a.Alert, fires[a.Alert], rests[a.Alert])
		}
	}
	promtool := tool(t, "promtool")
	for _, args := range [][]string{{"check", "rules", "alerts.yaml"}, {"check", "config", "prometheus.yaml"},
		{"test", "rules", "alerts_test.yaml"}} {
		if said, err := run(t, filepath.Join(deploy, "monitoring"), append([]string{promtool}, args...)...); err != nil {
			t.Errorf("promtool %v: %v: %s", args, err, said)
		}
	}
}

// TestDashboard: no two panels have one id, or lie upon each other.
func TestDashboard(t *testing.T) {
	ids := map[int]string{}
	taken := map[[2]int]string{}
	for _, p := range panels(t) {
		if ids[p.ID] != "" {
			t.Errorf("%q and %q have the id %d", p.Title, ids[p.ID], p.ID)
		}
		ids[p.ID] = p.Title
		if p.GridPos.X+p.GridPos.W > 24 || p.GridPos.W == 0 || p.GridPos.H == 0 {
			t.Errorf("%q is no place on the page: %+v", p.Title, p.GridPos)
		}
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" {
					t.Fatalf("%q lies upon %q", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("%q shows nothing", p.Title)
		}
	}
}
