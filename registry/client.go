// Package registry follows what a registry of trials shows: it asks ClinicalTrials.gov's API
// (version 2) for the records that changed since a day, one request at a time, and hands each
// page of them to a function until that has taken it. It goes on where it was after any end.
//
// It knows nothing of logs, statements or keys, and of a record no more than its number and
// its day of update. Nothing that a registry answers is trusted: an answer that is not what
// the API gives is an error, which is said, and the question is asked again later.
//
// What the API promises is taken from its OpenAPI document of version 2.0.5, which
// https://clinicaltrials.gov/data-api/api shows. Quoted lines of it are marked SPEC. It names no
// limit of requests and no header Retry-After: those are taken as HTTP has them (RFC 9110).
package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// CTGov is the address of ClinicalTrials.gov's API.
const CTGov = "https://clinicaltrials.gov/api/v2"

const (
	maxPage    = 128 << 20 // bytes of an answer, unpacked
	maxVersion = 64 << 10
	maxToken   = 2048
	maxWait    = 24 * time.Hour // that is waited because an answer asks for it
	answerTime = 10 * time.Minute
)

// ErrTooLarge is the error of an answer with more bytes than are read.
var ErrTooLarge = errors.New("the answer is too large")

// errToken is the error of a page whose token the registry does not take.
var errToken = errors.New("the registry does not take its own page token")

// A Status is an answer other than 200.
type Status struct {
	Code  int
	Text  string        // the beginning of the answer
	After time.Duration // the registry asks to wait so long; 0 if it does not say
}

// Error implements error.
func (s *Status) Error() string {
	text := fmt.Sprintf("the registry answers status %d (%s)", s.Code, http.StatusText(s.Code))
	if s.Text != "" {
		text += ": " + s.Text
	}
	return text
}

// A Client asks the API of a registry. Its methods may not be called at once.
type Client struct {
	base, agent string
	http        *http.Client
	now         func() time.Time
	limit       int64
}

// NewClient returns a client of the API at an address. The agent names the program to the
// registry. The address may be http for this machine alone.
func NewClient(api, agent string) (*Client, error) {
	u, err := url.Parse(api)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fmt.Errorf("%q is not the address of a registry's API, such as %s", api, CTGov)
	}
	if u.Scheme == "http" && !loopback(u.Hostname()) {
		return nil, fmt.Errorf("%s: http is for a server on this machine alone, because others could change what is read on its way: "+
			"give an https address", api)
	}
	return &Client{
		base: strings.TrimRight(api, "/"), agent: agent, now: time.Now, limit: maxPage,
		http: &http.Client{
			Timeout: answerTime,
			// An address that an answer leads to is not the one that was given.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			// It asks for gzip and unpacks it; what is read is limited behind that.
			Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, MaxConnsPerHost: 1, IdleConnTimeout: time.Minute,
				ForceAttemptHTTP2: true, MaxResponseHeaderBytes: 64 << 10},
		},
	}, nil
}

// Loopback reports whether the API is on this machine.
func (c *Client) Loopback() bool {
	u, err := url.Parse(c.base)
	return err == nil && loopback(u.Hostname())
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Version returns the time of the registry's data.
//
// SPEC: Data version is UTC timestamp in `yyyy-MM-dd'T'HH:mm:ss` format.
func (c *Client) Version(ctx context.Context) (time.Time, error) {
	data, err := c.get(ctx, "/version", nil, maxVersion)
	if err != nil {
		return time.Time{}, err
	}
	var v struct {
		DataTimestamp string `json:"dataTimestamp"`
	}
	if err := json.Unmarshal(data, &v); err != nil {
		return time.Time{}, fmt.Errorf("the registry's version: %w", notJSON(err))
	}
	t, err := time.Parse("2006-01-02T15:04:05", strings.TrimSuffix(v.DataTimestamp, "Z"))
	if err != nil {
		return time.Time{}, fmt.Errorf("the registry's version has the dataTimestamp %.60q, which is no time such as 2026-03-01T09:00:05",
			v.DataTimestamp)
	}
	return t.Truncate(time.Second), nil
}

// An Ask names a page.
type Ask struct {
	From, To string // first and last day of update; To "" is without end
	Token    string // of the page before; "" for the first
	Size     int    // most records
}

// Page returns a page of the records that were last updated in some days, the earliest first.
//
// SPEC: Request for each subsequent page **must** have the same parameters as for the first
// page, except `countTotal`, `pageSize`, and `pageToken` parameters.
func (c *Client) Page(ctx context.Context, a Ask) (*Page, error) {
	to := a.To
	if to == "" {
		to = "MAX"
	}
	q := url.Values{
		"format":          {"json"},
		"filter.advanced": {"AREA[LastUpdatePostDate]RANGE[" + a.From + "," + to + "]"},
		"sort":            {"LastUpdatePostDate:asc"},
		"pageSize":        {strconv.Itoa(a.Size)},
	}
	if a.Token == "" {
		q.Set("countTotal", "true")
	} else {
		q.Set("pageToken", a.Token)
	}
	data, err := c.get(ctx, "/studies", q, c.limit)
	if s, ok := errors.AsType[*Status](err); ok && a.Token != "" && s.Code >= 400 && s.Code < 500 && s.Code != http.StatusTooManyRequests {
		return nil, fmt.Errorf("%w: %w", errToken, err)
	}
	if err != nil {
		return nil, err
	}
	return parsePage(data)
}

// get returns the body of an answer that is JSON.
func (c *Client) get(ctx context.Context, path string, q url.Values, most int64) ([]byte, error) {
	address := c.base + path
	if len(q) > 0 {
		address += "?" + q.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", c.agent)
	req.Header.Set("Accept", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err // the address with its token says nothing to a person
		}
		return nil, fmt.Errorf("the registry cannot be reached at %s: %w", c.base, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, c.status(resp)
	}
	if kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return nil, fmt.Errorf("the registry answers %.80q and not application/json: what is at %s may not be its API",
			resp.Header.Get("Content-Type"), c.base)
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, most+1))
	if err != nil {
		return nil, fmt.Errorf("the registry's answer ends early: %w", err)
	}
	if int64(len(data)) > most {
		return nil, fmt.Errorf("%w: it has more than %d bytes", ErrTooLarge, most)
	}
	return data, nil
}

// status turns an answer other than 200 into an error.
func (c *Client) status(resp *http.Response) error {
	s := &Status{Code: resp.StatusCode}
	if to := resp.Header.Get("Location"); resp.StatusCode/100 == 3 && to != "" {
		s.Text = fmt.Sprintf("it leads to %.200s: give that address with -api if it is the one that you mean", to)
		return s
	}
	s.After = retryAfter(resp.Header.Get("Retry-After"), c.now())
	if kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type")); err == nil && kind == "text/plain" {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 300)) // of an error: as much as is there
		s.Text = strings.TrimSpace(string(text))
	}
	return s
}

// retryAfter reads the header Retry-After, in seconds or as a time; 0 if it says nothing.
func retryAfter(header string, now time.Time) time.Duration {
	header = strings.TrimSpace(header)
	if n, err := strconv.ParseUint(header, 10, 64); err == nil {
		return time.Duration(min(n, uint64(maxWait/time.Second))) * time.Second
	} else if errors.Is(err, strconv.ErrRange) {
		return maxWait
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(0, min(at.Sub(now), maxWait))
	}
	return 0
}
