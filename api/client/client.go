// Package client talks to a log over HTTP: the JSON interface for statements, receipts and
// entries, and the plain files of c2sp.org/tlog-tiles. It needs neither gRPC nor anything of
// the server.
//
// It trusts nothing: it returns bytes that package receipt or package audit checks.
package client

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/tile/fetch"
)

var (
	// ErrPending says that a statement is in the log and its receipt waits for
	// the witnesses.
	ErrPending = errors.New("pending: the statement is in the log, its receipt is not there yet")
	// ErrNotFound says that the log has nothing of the kind.
	ErrNotFound = errors.New("not found")
	// ErrGone is wrapped when what was asked for is no longer served, or not yet.
	ErrGone = errors.New("not served")
	// ErrUnavailable is wrapped when the log cannot be reached or accepts nothing at the
	// moment: the same call may succeed later.
	ErrUnavailable = errors.New("the log cannot be reached or is not ready")

	errNotReady = fmt.Errorf("%w: it takes nothing yet", ErrUnavailable)
)

// A Client reaches one log. The zero HTTP client of New has sensible limits.
type Client struct {
	base  string
	http  *http.Client
	tiles *fetch.Client
}

// New returns a client of the log at a URL such as https://log.example.
func New(base string) (*Client, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%q is not the URL of a log, such as https://log.example", base)
	}
	tiles, err := fetch.New(base, fetch.Options{Wait: wait, NoRedirects: true})
	if err != nil {
		return nil, err
	}
	return &Client{
		base:  strings.TrimRight(base, "/"),
		tiles: tiles,
		http: &http.Client{Timeout: wait, CheckRedirect: noRedirects, Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 256, IdleConnTimeout: 90 * time.Second, ForceAttemptHTTP2: true,
		}},
	}, nil
}

// wait is how long one answer is waited for.
const wait = time.Minute

// noRedirects keeps a signed statement from being sent where an answer points to.
func noRedirects(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// maxAnswer bounds what is read of an answer, in bytes: a page of entries is the largest.
const maxAnswer = 128 << 20

// maxPage bounds a page of a history, in bytes: about 1 MiB of entries with their proofs, and
// the record, which may have some MiB.
const maxPage = 24 << 20

// do sends a request and returns the answer's body if its status is 200.
func (c *Client) do(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	return c.doAtMost(ctx, maxAnswer, method, path, body)
}

// doAtMost does what do does, for an answer of at most so many bytes.
func (c *Client) doAtMost(ctx context.Context, most int64, method, path string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, most+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if int64(len(data)) > most {
		return nil, fmt.Errorf("the answer to %s has more than %d bytes", path, most)
	}
	switch {
	case resp.StatusCode == http.StatusOK:
		return data, nil
	case resp.StatusCode == http.StatusAccepted:
		return data, c.pending(ctx)
	}
	return nil, problem(resp.StatusCode, data)
}

// pending says why there is no receipt yet, as the log does.
func (c *Client) pending(ctx context.Context) error {
	why, err := c.notReady(ctx)
	switch {
	case err != nil:
		return ErrPending // the log does not tell everyone
	case why == "":
		return fmt.Errorf("%w: too few witnesses have cosigned yet", ErrPending)
	}
	return fmt.Errorf("%w: %s", ErrPending, why)
}

// notReady asks the log why it is not ready; it returns "" if the log is ready.
func (c *Client) notReady(ctx context.Context) (why string, err error) {
	_, err = c.do(ctx, http.MethodGet, "/readyz", nil)
	if errors.Is(err, errNotReady) {
		_, why, _ = strings.Cut(err.Error(), errNotReady.Error()+": ")
		return why, nil
	}
	return "", err
}

// problem turns an answer without a result into an error, and a refusal by a rule into a
// *trial.Refusal.
func problem(status int, data []byte) error {
	var p struct {
		Rule    string `json:"rule"`
		Message string `json:"message"`
	}
	if json.Unmarshal(data, &p) != nil || p.Message == "" {
		p.Message = strings.TrimSpace(string(data[:min(len(data), 300)]))
	}
	switch {
	case trial.RuleText(trial.Rule(p.Rule)) != "":
		detail := strings.TrimPrefix(p.Message, p.Rule+": ")
		return &trial.Refusal{Rule: trial.Rule(p.Rule), Detail: strings.TrimPrefix(detail, trial.RuleText(trial.Rule(p.Rule))+": ")}
	case status == http.StatusNotFound:
		return fmt.Errorf("%w: %s", ErrNotFound, p.Message)
	case status == http.StatusGone:
		return fmt.Errorf("%w: %s", ErrGone, p.Message)
	case status == http.StatusServiceUnavailable:
		return fmt.Errorf("%w: %s", errNotReady, p.Message)
	case status == http.StatusTooManyRequests || status >= 500:
		return fmt.Errorf("%w: status %d: %s", ErrUnavailable, status, p.Message)
	}
	return fmt.Errorf("the log answers status %d: %s", status, p.Message)
}

// A Result is the log's answer to a statement.
type Result struct {
	ID      trial.Hash `json:"id"`
	Index   uint64     `json:"index,string"`
	Receipt string     `json:"receipt"`
}

// notReadyWait is how long Submit tries again while the log says that it is not ready, as it
// does while it asks its witnesses after a start.
const notReadyWait = 15 * time.Second

// Submit posts a DSSE envelope and the signer's public key (DER SPKI), and again while the log
// is not ready: a statement is never logged twice. A *trial.Refusal says which rule it breaks.
// ErrPending comes with the ID.
func (c *Client) Submit(ctx context.Context, envelope, key []byte) (Result, error) {
	body, err := json.Marshal(struct {
		Envelope json.RawMessage `json:"envelope"`
		Key      string          `json:"key"`
	}{envelope, base64.StdEncoding.EncodeToString(key)})
	if err != nil {
		return Result{}, err
	}
	return c.result(c.ready(ctx, func() ([]byte, error) { return c.do(ctx, http.MethodPost, "/v1/statements", body) }))
}

// End asks the relay of the log to end a consent for somebody who has its code. That it ended,
// only the consent's history shows.
func (c *Client) End(ctx context.Context, consent trial.Hash, code string, erase bool) (Result, error) {
	body, err := json.Marshal(struct {
		Code    string     `json:"code"`
		Consent trial.Hash `json:"consent"`
		Erase   bool       `json:"erase"`
	}{code, consent, erase})
	if err != nil {
		return Result{}, err
	}
	return c.result(c.ready(ctx, func() ([]byte, error) { return c.do(ctx, http.MethodPost, "/relay/end", body) }))
}

// ready calls f until the log no longer says that it is not ready, for a while.
func (c *Client) ready(ctx context.Context, f func() ([]byte, error)) ([]byte, error) {
	for deadline := time.Now().Add(notReadyWait); ; {
		data, err := f()
		if !errors.Is(err, errNotReady) {
			return data, err
		}
		if time.Now().After(deadline) {
			if why, werr := c.notReady(ctx); werr == nil && why != "" {
				err = fmt.Errorf("%w: %s", errNotReady, why)
			}
			return data, err
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Receipt returns the receipt of a statement by its identity.
func (c *Client) Receipt(ctx context.Context, id trial.Hash) (Result, error) {
	return c.result(c.do(ctx, http.MethodGet, "/v1/receipts/"+id.String(), nil))
}

func (c *Client) result(data []byte, err error) (Result, error) {
	if err != nil && !errors.Is(err, ErrPending) {
		return Result{}, err
	}
	var r Result
	if jerr := json.Unmarshal(data, &r); jerr != nil {
		return Result{}, fmt.Errorf("the log's answer: %w", jerr)
	}
	return r, err
}

// An Entry is a leaf with its index, as the log gives it.
type Entry struct {
	Index uint64 `json:"index,string"`
	Entry string `json:"entry"`
}

// A ProvedEntry is a leaf with its proof under the published checkpoint.
type ProvedEntry struct {
	Entry
	Checkpoint string   `json:"checkpoint"`
	Proof      []string `json:"proof"` // base64
}

// Entry returns the leaf at an index.
func (c *Client) Entry(ctx context.Context, index uint64) (ProvedEntry, error) {
	var e ProvedEntry
	err := c.json(ctx, "/v1/entries/"+strconv.FormatUint(index, 10), &e)
	return e, err
}

// An About is a page of the entries about a record.
type About struct {
	Trial   string  `json:"trial"` // id, if a trial was asked for
	Entries []Entry `json:"entries"`
	Size    uint64  `json:"size,string"` // published size
}

// Trial returns the entries about a trial, by any of its names, and its id.
func (c *Client) Trial(ctx context.Context, typed string) (About, error) {
	return c.about(ctx, "/v1/trials/entries?"+url.Values{"trial": {typed}}.Encode())
}

// Record returns the entries about a record: kind is trial, identifier, org, key, seal or
// log. With the kind document and the SHA-256 of a document, and with the kind statement and
// an id or at least its first 12 digits, it returns the entries of the statements that have
// them, or that begin alike.
func (c *Client) Record(ctx context.Context, kind, id string) (About, error) {
	return c.about(ctx, "/v1/records/entries?"+url.Values{"kind": {kind}, "id": {id}}.Encode())
}

// Found returns those of at most MaxFound ids about which something is published; kind is as for
// Record. No id may have a comma.
func (c *Client) Found(ctx context.Context, kind string, ids []string) (map[string]bool, error) {
	var answer struct {
		IDs []string `json:"ids"`
	}
	if err := c.json(ctx, "/v1/records/found?"+url.Values{"kind": {kind}, "ids": {strings.Join(ids, ",")}}.Encode(), &answer); err != nil {
		return nil, err
	}
	found := map[string]bool{}
	for _, id := range answer.IDs {
		found[id] = true
	}
	return found, nil
}

// MaxFound is how many ids Found takes.
const MaxFound = 256

// maxAbout bounds the entries about one record.
const maxAbout = 100_000

// about reads all pages, up to the size published at the first.
func (c *Client) about(ctx context.Context, path string) (About, error) {
	var all About
	for {
		var page About
		next := uint64(0)
		if n := len(all.Entries); n > 0 {
			next = all.Entries[n-1].Index + 1
		}
		if err := c.json(ctx, path+"&from="+strconv.FormatUint(next, 10), &page); err != nil {
			return About{}, err
		}
		if all.Entries == nil { // entries published meanwhile are not read
			all.Trial, all.Size = page.Trial, page.Size
		}
		for _, e := range page.Entries {
			if e.Index < next {
				return About{}, errors.New("the log lists entries out of order")
			}
			if e.Index >= all.Size {
				return all, nil
			}
			next = e.Index + 1
			all.Entries = append(all.Entries, e)
		}
		if len(page.Entries) == 0 {
			return all, nil
		}
		if len(all.Entries) > maxAbout {
			return About{}, fmt.Errorf("the log lists more than %d entries", maxAbout)
		}
	}
}

func (c *Client) json(ctx context.Context, path string, v any) error {
	data, err := c.do(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("the log's answer to %s: %w", path, err)
	}
	return nil
}

// Checkpoint returns the published checkpoint with its cosignatures.
func (c *Client) Checkpoint(ctx context.Context) ([]byte, error) {
	return ofTiles(c.tiles.Checkpoint(ctx))
}

// Tile returns a tile or entry bundle by its path, such as tile/0/000.p/7.
func (c *Client) Tile(ctx context.Context, path string) ([]byte, error) {
	return ofTiles(c.tiles.Tile(ctx, path))
}

// ofTiles returns what the client of tiles has read, with this client's errors.
func ofTiles(data []byte, err error) ([]byte, error) {
	switch {
	case errors.Is(err, fetch.ErrNotServed):
		return nil, fmt.Errorf("%w: %w", ErrNotFound, err)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return data, nil
}

// HistoryPage returns a page of a record's history (docs/spec.md, section 12). If from is 0, it
// is the first page, as of a tree of that size or, if size is 0, of the newest; otherwise it
// has the entries from that index on. ErrGone says that the tree is no longer served.
func (c *Client) HistoryPage(ctx context.Context, kind, id string, size, from uint64) ([]byte, error) {
	query := url.Values{"kind": {kind}, "id": {id}}
	if size > 0 {
		query.Set("size", strconv.FormatUint(size, 10))
	}
	if from > 0 {
		query.Set("from", strconv.FormatUint(from, 10))
	}
	return c.ready(ctx, func() ([]byte, error) {
		return c.doAtMost(ctx, maxPage, http.MethodGet, "/v1/history?"+query.Encode(), nil)
	})
}
