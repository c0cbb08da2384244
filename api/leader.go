package api

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/trialproof/trialproof/api/trialpb"
	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/trial"
)

// A leader passes submissions on to the server that leads, from one that follows it. The leader
// answers as it would answer the caller. What it has decided is in the log, so the same statement
// can be sent again, to another server that has taken over meanwhile.
type leader struct {
	log    *logserver.Log
	secret string
	client *http.Client
}

const (
	// passedOnHeader marks a submission that was passed on, with the servers' secret.
	passedOnHeader = "Trialproof-Passed-On"
	// leaderWait is for how long a server that leads is looked for, and leaderPause the pause
	// between two attempts.
	leaderWait  = 15 * time.Second
	leaderPause = 50 * time.Millisecond
	// seenWait is how long this server waits, at most, until it shows what the leader has logged.
	seenWait = 2 * time.Second
)

func newLeader(cfg Config) *leader {
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &leader{log: cfg.Log, secret: cfg.Secret, client: &http.Client{
		Timeout: requestTimeout, CheckRedirect: stay, Transport: &http.Transport{
			MaxIdleConnsPerHost: 256, IdleConnTimeout: 90 * time.Second, ForceAttemptHTTP2: true,
			TLSHandshakeTimeout: 5 * time.Second,
		},
	}}
}

// recognise notes whether another server has passed a request on.
func (x *leader) recognise(c *call, r *http.Request) {
	given := r.Header.Get(passedOnHeader)
	c.passedOn = given != ""
	c.replica = x.secret != "" && subtle.ConstantTimeCompare([]byte(given), []byte(x.secret)) == 1
}

// errNobody says that the leader gave no answer that the caller could be given.
var errNobody = errors.New("the server that leads gave no answer")

// submit submits to the server that leads, as soon as there is one.
func (x *leader) submit(ctx context.Context, id trial.Hash, envelope, key []byte) (*trialpb.Receipt, error) {
	if callOf(ctx).passedOn {
		return nil, logserver.ErrLost
	}
	why := errors.New("no server leads")
	for end := time.Now().Add(leaderWait); time.Now().Before(end); {
		st := x.log.Standing()
		switch {
		case st.Leads: // by now
			out, err := x.log.Submit(ctx, envelope, key)
			if errors.Is(err, logserver.ErrPending) {
				return toPending(out.ID), nil
			}
			if err == nil {
				return toReceipt(out.ID, out.Index, out.Receipt), nil
			}
			if !errors.Is(err, logserver.ErrLost) {
				return nil, err
			}
		case st.Leader != "":
			r, err := x.pass(ctx, st, envelope, key)
			switch {
			case err == nil && r.GetId() != id.String():
				return nil, fmt.Errorf("%s answered for the statement %.80q, not for %s", st.Leader, r.GetId(), id)
			case err == nil:
				x.await(ctx, r)
				return r, nil
			case !errors.Is(err, errNobody):
				return nil, err
			}
			why = err
		}
		select {
		case <-time.After(leaderPause):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	return nil, fmt.Errorf("%w: %w", logserver.ErrNotReady, why)
}

// await waits until this server shows an entry, so that who has its receipt finds it here.
func (x *leader) await(ctx context.Context, r *trialpb.Receipt) {
	if r.Receipt == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, seenWait)
	defer cancel()
	x.log.Hurry()
	x.log.Await(ctx, r.GetIndex()) // if it takes longer, the receipt is valid all the same
}

// pass sends a submission to the leader, and stops waiting when another one leads.
func (x *leader) pass(ctx context.Context, st logserver.Standing, envelope, key []byte) (*trialpb.Receipt, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		tick := time.NewTicker(leaderPause)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				if now := x.log.Standing(); now.Leads || now.Epoch != st.Epoch {
					cancel(errNobody)
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	// The envelope as it was sent: its bytes are logged.
	body := `{"envelope":` + string(envelope) + `,"key":"` + base64.StdEncoding.EncodeToString(key) + `"}`
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, st.Leader+"/v1/statements", strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(passedOnHeader, x.secret)
	if x.secret == "" {
		req.Header.Set(passedOnHeader, "yes")
	}
	resp, err := x.client.Do(req)
	if err != nil {
		return nil, x.silent(ctx, err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxPage))
	if err != nil {
		return nil, x.silent(ctx, err)
	}
	return readAnswer(resp, data)
}

// silent is the error of a leader that could not be asked: the caller's own, if it has left.
func (x *leader) silent(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, errNobody) {
		return cause
	}
	return fmt.Errorf("%w: %w", errNobody, err)
}

// readAnswer reads the leader's answer to a submission: a receipt, or the problem that the caller
// would have been told. errNobody says that it is neither.
func readAnswer(resp *http.Response, data []byte) (*trialpb.Receipt, error) {
	switch resp.StatusCode {
	case http.StatusOK, http.StatusAccepted:
		r := new(trialpb.Receipt)
		if err := protojson.Unmarshal(data, r); err != nil {
			return nil, fmt.Errorf("%w: it is not a receipt: %w", errNobody, err)
		}
		return r, nil
	}
	var w struct {
		Code    string
		Rule    trial.Rule
		Message string
	}
	if err := json.Unmarshal(data, &w); err != nil || w.Message == "" || resp.StatusCode >= 500 {
		return nil, fmt.Errorf("%w: status %d: %.300s", errNobody, resp.StatusCode, w.Message)
	}
	retry, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
	return nil, &problem{code: codes.Code(code.Code_value[w.Code]), status: resp.StatusCode, rule: w.Rule, message: w.Message,
		retry: time.Duration(retry) * time.Second}
}
