// Trial is what sponsors, regulators and auditors type. It speaks HTTP to a log
// and needs neither a database nor gRPC.
package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/trialproof/trialproof/api/client"
	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
)

// Exit statuses of every command.
const (
	exitDone    = 0 // valid, or done
	exitInvalid = 1 // refused, or invalid
	exitUsage   = 2
	exitPending = 3 // could not be checked or finished
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	go func() {
		<-ctx.Done()
		stop() // a second signal kills
		time.Sleep(5 * time.Second)
		os.Exit(exitPending) // whatever does not listen
	}()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

var commands []frame.Command

func init() {
	commands = []frame.Command{
		command("keygen", "make a signing key and a request to enrol it", `-name NAME -org ID -out FILE`,
			`trial keygen -name "Ada Lovelace" -org example-pharma -out ada`, keygen),
		command("org", "enrol an organisation with its administrators (the registrar's)", `-log URL -policy P -key registrar.key -id ID -name NAME ADMIN.pub...`,
			`trial org -log http://127.0.0.1:8080 -policy policy -key registrar.key -id example-pharma -name "Example Pharma" ada.pub`, enrolOrg),
		command("enrol", "enrol a key for your organisation", `-log URL -policy P -key ADMIN.key -role signer|administrator [-kinds K,K] [-trials T,T] [-until DAY] KEY.pub`,
			`trial enrol -log http://127.0.0.1:8080 -policy policy -key ada.key -role signer grace.pub`, enrolKey),
		command("limit", "limit what a key of your organisation may sign; with no limit given, lift them", `-log URL -policy P -key ADMIN.key [-kinds K,K] [-trials T,T] [-until DAY] [-reason R] KEY.pub|KEYID`,
			`trial limit -log http://127.0.0.1:8080 -policy policy -key ada.key -kinds document,milestone -until 2027-12-31 grace.pub`, limitKey),
		command("revoke", "revoke a key of your organisation", `-log URL -policy P -key ADMIN.key [-reason R] KEY.pub|KEYID`,
			`trial revoke -log http://127.0.0.1:8080 -policy policy -key ada.key grace.pub`, revokeKey),
		command("whoami", "say what the log knows of a key", `-log URL -policy P -key FILE`,
			`trial whoami -log http://127.0.0.1:8080 -policy policy -key ada.key`, whoami),
		command("register", "register a trial; prints its id", `-log URL -policy P -key FILE -number NUMBER [-masked] [FILE...]`,
			`trial register -log http://127.0.0.1:8080 -policy policy -key ada.key -number I8R-JE-IGBJ synopsis.pdf`, register),
		command("identify", "bind a registry's number to a trial", `-log URL -policy P -key FILE -trial TRIAL NUMBER`,
			`trial identify -log http://127.0.0.1:8080 -policy policy -key ada.key -trial 3f5c... NCT03421379`, identify),
		command("delegate", "let another organisation log statements of some kinds for a trial", `-log URL -policy P -key ADMIN.key -trial TRIAL -to ORG -kinds K,K [-scope S] [-end DAY] | -withdraw RECEIPT [-reason R]`,
			`trial delegate -log http://127.0.0.1:8080 -policy policy -key ada.key -trial NCT03421379 -to example-cro -kinds document,milestone -end 2027-12-31`, delegate),
		command("transfer", "give a trial to another organisation, or accept one", `-log URL -policy P -key ADMIN.key -trial TRIAL -to ORG [-accept RECEIPT | -withdraw RECEIPT | -ground G]`,
			`trial transfer -log http://127.0.0.1:8080 -policy policy -key ada.key -trial NCT03421379 -to new-pharma`, transfer),
		command("submit", "submit documents of a trial; writes a receipt beside each", `-log URL -policy P -key FILE -trial TRIAL -kind KIND [flags] FILE...`,
			`trial submit -log http://127.0.0.1:8080 -policy policy -key ada.key -trial NCT03421379 -kind protocol -version 1.0 protocol.pdf`, submit),
		command("unseal", "open what trial submit -seal sealed", `-log URL -policy P -key FILE FILE.sealed`,
			`trial unseal -log http://127.0.0.1:8080 -policy policy -key ada.key protocol.pdf.sealed`, unseal),
		command("sign", "add your signature to a statement that is logged", `-log URL -policy P -key FILE [-meaning M] RECEIPT|ID`,
			`trial sign -log http://127.0.0.1:8080 -policy policy -key grace.key -meaning approval protocol.pdf.tlog-proof`, sign),
		command("correct", "correct a member of a logged statement, or empty its effect", `-log URL -policy P -key FILE (-field F -new TEXT [-reason R] | -void REASON) RECEIPT|ID`,
			`trial correct -log http://127.0.0.1:8080 -policy policy -key ada.key -field version -new 1.1 protocol.pdf.tlog-proof`, correct),
		command("import", "log a registry's export as observations, and say what is new, changed or conflicting", `ctgov|isrctn|ictrp -log URL -policy P -key FILE [-seen DAY] [-out DIR] [-n] [-json] FILE...`,
			`trial import ctgov -log http://127.0.0.1:8080 -policy policy -key ada.key ctg-studies.json`, importCommand),
		command("receipt", "fetch the receipt of a statement that was pending", `-log URL -policy P [-o FILE] ID|FILE.statement`,
			`trial receipt -log http://127.0.0.1:8080 -policy policy protocol.pdf.statement`, fetchReceipt),
		command("verify", "check files against their receipts, or a receipt alone, offline", `-policy P [-proof RECEIPT] [-trial T] [-kind K] [-version V] [FILE...]`,
			`trial verify -policy policy protocol.pdf`, verify),
		command("certificate", "write what a file's receipt proves on one page to print, offline", `-policy P [-proof RECEIPT] [-policies FILE] FILE -o FILE.html`,
			`trial certificate -policy policy protocol.pdf -o protocol.html`, certificate),
		command("disclose", "show one endpoint, objective or section of a document submitted with -elements, and nothing else of it; without -part, list them", `-elements FILE [-part endpoints/3] [-proof RECEIPT] [-o FILE] DOCUMENT`,
			`trial disclose -elements elements.secret -part endpoints/3 -o endpoint-3.json protocol.json`, disclose),
		command("verify-part", "check offline one part of a document that was disclosed, or what two versions say in its place", `-policy P [-policies FILE] [-json] FILE [FILE]`,
			`trial verify-part -policy policy endpoint-3.json endpoint-3-amended.json`, verifyPart),
		command("show", "say what a receipt or an entry holds", `RECEIPT | URL/INDEX`,
			`trial show protocol.pdf.tlog-proof`, show),
		command("history", "show everything logged about a trial, with the proof that nothing is left out", `-log URL -policy P [-at SIZE] [-kind K] [-since EVENT|DAY] [-json] TRIAL|identifier:NUMBER|org:ID|seal:ID|log`,
			`trial history -log http://127.0.0.1:8080 -policy policy NCT03421379`, showHistory),
		command("verify-history", "check a history file offline", `-policy P [-at SIZE] [-kind K] [-since EVENT|DAY] [-files FILE|DIR]... FILE`,
			`trial verify-history -policy policy history.json`, verifyHistory),
		command("status", "show where a trial stands: versions in force, marks, what is missing, seals", `-log URL -policy P [-json] TRIAL`,
			`trial status -log http://127.0.0.1:8080 -policy policy NCT03421379`, status),
		command("export", "write all that an inspector takes away: histories, receipts, policy", `-log URL -policy P -o FILE.zip TRIAL`,
			`trial export -log http://127.0.0.1:8080 -policy policy -o NCT03421379.zip NCT03421379`, export),
		command("inforce", "show the protocol that was in force on a day", `-log URL -policy P [-at DATE] [-scope S] TRIAL [FILE]`,
			`trial inforce -log http://127.0.0.1:8080 -policy policy -at 2026-03-01 NCT03421379 protocol.pdf`, inForce),
		command("diff", "say what two versions of a study say differently", `[-json] A B`,
			`trial diff registered.json with-results.json`, diffCommand),
		command("compare", "hold what a trial reports to what it said before it began; of files alone, with no log", `-log URL -policy P [-article FILE] [-files FILE|DIR]... [-from ORG,...] [-json] TRIAL | EARLIER LATER [-article FILE] [-json]`,
			`trial compare -log http://127.0.0.1:8080 -policy policy -article outcomes.txt NCT03421379`, compareCommand),
		command("deadlines", "say what regulations ask of a trial by when, and whether its record shows it", `-log URL -policy P [-at DATE] [-files FILE|DIR]... [-from ORG,...] [-json] TRIAL`,
			`trial deadlines -log http://127.0.0.1:8080 -policy policy -at 2026-03-01 NCT03421379`, deadlinesCommand),
		command("report", "write an inspector's report of a trial, for people and for programs", `-log URL -policy P [-at DATE] [-article FILE] [-files FILE|DIR]... [-from ORG,...] -o FILE.html TRIAL`,
			`trial report -log http://127.0.0.1:8080 -policy policy -o NCT03421379.html NCT03421379`, reportCommand),
		command("config", "show or set what -policy and -key default to", `[set policy|key PATH | unset policy|key]`,
			`trial config set policy policy`, configCommand),
		command("policy", "show a policy in words, compare two, or announce one (a registrar's)", `show FILE | diff FILE FILE | publish -log URL -policy P -key registrar.key FILE`,
			`trial policy show policy`, policyCommand),
		command("ruling", "say whose a disputed number is (a registrar's)", `-log URL -policy P -key registrar.key -trial ID [-ground G] NUMBER`,
			`trial ruling -log http://127.0.0.1:8080 -policy policy -key registrar.key -trial 3f5c... NCT03421379`, ruling),
		command("logkey", "announce a key that signs the log's checkpoints (a registrar's)", `-log URL -policy P -key registrar.key LOG.next.pub | -retire VKEY`,
			`trial logkey -log http://127.0.0.1:8080 -policy policy -key registrar.key log.next.pub`, logKey),
		command("rules", "announce another rule set (a registrar's)", `-log URL -policy P -key registrar.key -set N -from INDEX`,
			`trial rules -log http://127.0.0.1:8080 -policy policy -key registrar.key -set 2 -from 100000`, rules),
		command("audit", "replay a whole log by its rules", `-log URL -policy P [-state FILE] [-evidence FILE] [-json]`,
			`trial audit -log http://127.0.0.1:8080 -policy policy`, auditLog),
		command("monitor", "audit a log for ever and raise alarms", `-log URL -policy P -state FILE [-org ID]... [-trial TRIAL]... [-also URL]... [-interval D] [-once]`,
			`trial monitor -log http://127.0.0.1:8080 -policy policy -state monitor.state -org example-pharma`, monitor),
		command("evidence", "check offline a file that proves that a log misbehaved", `-policy P [-json] FILE`,
			`trial evidence -policy policy log.evidence`, checkEvidence),
		frame.VersionCommand("trial"),
	}
}

// env is what a command may touch besides files.
type env struct {
	*frame.Env
	stdinRead  bool   // as a document
	policyFrom string // how the policy came to be chosen
}

// command returns a command of this program.
func command(name, does, args, example string, run func(context.Context, *env, []string) error) frame.Command {
	return frame.Command{
		Name: name, Does: does, Args: args, Example: example,
		Run: func(ctx context.Context, e *frame.Env, args []string) error { return run(ctx, &env{Env: e}, args) },
	}
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	p := &frame.Program{
		Name: "trial", Commands: commands, Status: exitStatus, Hint: hintFor,
		Ends: "Exit status: 0 valid or done, 1 refused or invalid, 2 wrong usage, 3 could not be checked or finished.",
	}
	return p.Run(ctx, args, stdin, stdout, stderr)
}

// exitStatus returns what an error means for the exit status.
func exitStatus(err error) int {
	if _, ok := errors.AsType[frame.UsageError](err); ok {
		return exitUsage
	}
	if isInvalid(err) {
		return exitInvalid
	}
	return exitPending
}

// errInvalid is wrapped by verdicts that are neither a refusal nor a problem of
// a receipt.
var errInvalid = errors.New("invalid")

// A negative is an answer of no, with the exit status of what is invalid and without
// that word: nothing was found to be false.
type negative struct{ error }

func (negative) Is(target error) bool { return target == errInvalid }

// hintFor says what to type next.
func hintFor(err error) string {
	switch {
	case errors.Is(err, client.ErrPending):
		return "nothing is lost: the receipt is there once enough witnesses have cosigned"
	}
	if _, ok := errors.AsType[advised](err); ok {
		return ""
	}
	switch trial.RuleOf(err) {
	case trial.RuleNotEnrolled:
		return "send your .pub file to an administrator of your organisation, who runs trial enrol"
	case trial.RulePredecessor:
		return "name the receipt of the version in force with -previous RECEIPT"
	case trial.RuleUnknown:
		return "see what the log has with trial show URL/INDEX"
	}
	return ""
}

// remote is what commands that speak to a log share.
type remote struct {
	url, policyFile, keyFile string
	keyFrom                  string // how the key file came to be chosen
	strict                   bool

	client *client.Client
	policy *checkpoint.Policy
	log    *checkpoint.LogKey
	key    *keyFile
	keep   bool // histories as files too
}

func (r *remote) flags(fs *flag.FlagSet, key bool) {
	fs.StringVar(&r.url, "log", "", "`URL` of the log, such as http://127.0.0.1:8080; default: the URL in the policy's log line")
	policyFlag(fs, &r.policyFile)
	if key {
		fs.StringVar(&r.keyFile, "key", "", "signing key `file`, as trial keygen makes it; default: what "+keyVariable+" names, or trial config set key has set")
		fs.BoolVar(&r.strict, "strict", false, "refuse a key file that others than its owner can use, instead of a warning")
	}
}

// begin is how every command begins that speaks to a log: it parses the flags,
// those that define adds among them, and reads the files that they name.
func (r *remote) begin(e *env, args []string, key bool, define func(*flag.FlagSet)) (rest []string, err error) {
	fs := e.Flags()
	r.flags(fs, key)
	if define != nil {
		define(fs)
	}
	if rest, err = e.Parse(fs, args); err != nil {
		return nil, err
	}
	if err := r.open(e, key); err != nil {
		return nil, err
	}
	return rest, e.private(r.keyFile, r.strict)
}

// open reads what the flags name, or what they default to.
func (r *remote) open(e *env, key bool) (err error) {
	if r.policy, err = e.trustedPolicy(&r.policyFile); err != nil {
		return err
	}
	if r.url == "" {
		if r.url, err = logURL(r.policy); err != nil {
			return err
		}
	}
	if r.client, err = client.New(r.url); err != nil {
		return frame.AsUsage(err)
	}
	if r.log, err = pickLog(r.policy, r.url); err != nil || !key {
		return err
	}
	if r.keyFrom, err = defaulted(&r.keyFile, "key", keyVariable); err != nil {
		return err
	}
	r.key, err = readKey(r.keyFile)
	return err
}

func readPolicy(name string) (*checkpoint.Policy, error) {
	text, err := readSmall(name)
	if err != nil {
		return nil, err
	}
	p, err := checkpoint.ParsePolicy(text)
	if err != nil {
		return nil, frame.Usagef("%s: %w", name, err)
	}
	if len(p.Logs) == 0 {
		return nil, frame.Usagef("%s: it names no log: add the line `log VKEY` with the log's key", name)
	}
	return p, nil
}

// pickLog returns the log of the policy that is meant: the only one, or the one
// with the URL. A log has several lines while its key changes.
func pickLog(p *checkpoint.Policy, url string) (*checkpoint.LogKey, error) {
	if !slices.ContainsFunc(p.Logs, func(l checkpoint.LogKey) bool { return l.Name() != p.Logs[0].Name() }) {
		return &p.Logs[0], nil
	}
	for i := range p.Logs {
		if strings.TrimRight(p.Logs[i].URL, "/") == strings.TrimRight(url, "/") {
			return &p.Logs[i], nil
		}
	}
	return nil, frame.Usagef("the policy names %d logs, none with the URL %s: add it behind the log's key", len(p.Logs), url)
}
