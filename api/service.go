package api

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc"

	"github.com/trialproof/trialproof/api/trialpb"
	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/trial"
)

// A service is the implementation of the log's interface that gRPC and JSON share. Its errors
// are the application's; its callers make problems of them.
type service struct {
	trialpb.UnimplementedLogServer
	log        *logserver.Log
	policy     string
	metrics    *Metrics
	perKey     *limiter // nil means no limit
	perAddress *limiter // nil means no limit
	submitting chan struct{}
	streaming  chan struct{}
	batching   chan struct{}                              // open batches
	batched    chan struct{}                              // submissions of batches in progress
	idle       time.Duration                              // how long a batch may send nothing
	sleep      func(context.Context, time.Duration) error // of a batch, until it may go on
	pages      *pages
	leader     *leader
}

func newService(cfg Config) *service {
	return &service{
		log: cfg.Log, policy: cfg.Policy, metrics: cfg.Metrics,
		perKey:     newLimiter(cfg.Limits.PerKey, cfg.Now),
		perAddress: newLimiter(cfg.Limits.PerAddress, cfg.Now),
		submitting: make(chan struct{}, cfg.Limits.Submissions),
		streaming:  make(chan struct{}, cfg.Limits.Streams),
		batching:   make(chan struct{}, cfg.Limits.Batches),
		batched:    make(chan struct{}, max(cfg.Limits.Submissions/2, 1)),
		idle:       requestTimeout,
		sleep:      sleep,
		pages:      newPages(),
		leader:     newLeader(cfg),
	}
}

// Submit implements trialpb.LogServer.
func (s *service) Submit(ctx context.Context, req *trialpb.SubmitRequest) (*trialpb.Receipt, error) {
	if err := s.countAddress(ctx); err != nil {
		return nil, err
	}
	envelope, key, err := fromSubmit(req)
	if err != nil {
		s.metrics.Refused(trial.RuleOf(err))
		return nil, err
	}
	return s.submit(ctx, envelope, key)
}

// submit is the only entrance for an envelope, over HTTP and gRPC. The log checks the envelope
// and counts its refusal. If ctx ends while it waits, the statement stays in the pool:
// submitted again, it is the same one.
func (s *service) submit(ctx context.Context, envelope, key []byte) (*trialpb.Receipt, error) {
	signer := ""
	if s.perKey != nil {
		sum := sha256.Sum256(key)
		signer = string(sum[:])
	}
	if wait := s.perKey.take(signer); wait > 0 {
		return nil, tooMany("too many submissions by this key: send it again later", wait)
	}
	select {
	case s.submitting <- struct{}{}:
		defer func() { <-s.submitting }()
	default:
		return nil, tooManyWaiting
	}
	out, err := s.log.Submit(ctx, envelope, key)
	if errors.Is(err, logserver.ErrLost) {
		return s.leader.submit(ctx, out.ID, envelope, key)
	}
	switch trial.RuleOf(err) {
	case trial.RuleMalformed, trial.RuleLimit, trial.RuleSignature:
		s.perKey.giveBack(signer) // nothing shows that the key's holder sent this
	}
	if errors.Is(err, logserver.ErrPending) {
		return toPending(out.ID), nil
	}
	if err != nil {
		return nil, err
	}
	return toReceipt(out.ID, out.Index, out.Receipt), nil
}

var tooManyWaiting = unavailable("too many submissions are waiting: send it again")

// countAddress counts a submission against its address.
func (s *service) countAddress(ctx context.Context) error {
	if callOf(ctx).replica { // which has counted it
		return nil
	}
	if wait := s.perAddress.take(callOf(ctx).addr); wait > 0 {
		return tooMany("too many submissions from this address: send it again later", wait)
	}
	return nil
}

// GetReceipt implements trialpb.LogServer.
func (s *service) GetReceipt(ctx context.Context, req *trialpb.GetReceiptRequest) (*trialpb.Receipt, error) {
	if err := s.log.Stale(); err != nil {
		return nil, err
	}
	id, err := trial.ParseHash(req.GetId())
	if err != nil {
		return nil, badRequest("id is not the identity of a statement: 64 lower-case hexadecimal digits")
	}
	text, err := s.log.Receipt(ctx, id)
	switch {
	case errors.Is(err, logserver.ErrPending):
		return toPending(id), nil
	case err == logserver.ErrNotFound:
		return nil, notFound(fmt.Sprintf("no statement %s is in the log: submit it, or submit it again", id))
	case err != nil:
		return nil, err
	}
	return parseReceipt(id, text)
}

// GetEntry implements trialpb.LogServer.
func (s *service) GetEntry(ctx context.Context, req *trialpb.GetEntryRequest) (*trialpb.ProvedEntry, error) {
	if err := s.log.Stale(); err != nil {
		return nil, err
	}
	index := req.GetIndex()
	if size := s.log.Size(); index >= size {
		return nil, notFound(fmt.Sprintf("no entry %d: the published size is %d, and entries are counted from 0", index, size))
	}
	raw, err := s.log.Entry(ctx, index)
	if err != nil {
		return nil, err
	}
	checkpoint, path, err := s.log.Inclusion(ctx, index)
	if err != nil {
		return nil, err
	}
	return toProvedEntry(index, raw, checkpoint, path), nil
}

// pageEntries is the most that one page lists.
const pageEntries = 256

// ListTrialEntries implements trialpb.LogServer.
func (s *service) ListTrialEntries(ctx context.Context, req *trialpb.ListTrialEntriesRequest) (*trialpb.Entries, error) {
	typed := strings.TrimSpace(req.GetTrial())
	if typed == "" {
		return nil, badRequest("trial is missing: give its id, a registry's number or sponsor:ORGANISATION/NUMBER")
	}
	id, err := s.log.Resolve(ctx, typed)
	if err == logserver.ErrNotFound {
		return nil, notFound(fmt.Sprintf("no trial is published as %.100q", typed))
	} else if err != nil {
		return nil, err
	}
	page, err := s.about(ctx, trial.RecordKey{Kind: "trial", ID: id.String()}, req.GetFrom())
	if err != nil {
		return nil, err
	}
	text := id.String()
	page.Trial = &text
	return page, nil
}

// ListRecordEntries implements trialpb.LogServer.
func (s *service) ListRecordEntries(ctx context.Context, req *trialpb.ListRecordEntriesRequest) (*trialpb.Entries, error) {
	key, err := recordKey(req.GetKind(), req.GetId(), logserver.LookupKinds(), logserver.LookupKey)
	if err != nil {
		return nil, err
	}
	return s.about(ctx, key, req.GetFrom())
}

// FindRecords implements trialpb.LogServer.
func (s *service) FindRecords(ctx context.Context, req *trialpb.FindRecordsRequest) (*trialpb.FoundRecords, error) {
	if n := len(req.GetIds()); n == 0 || n > pageEntries {
		return nil, badRequest(fmt.Sprintf("ids has %d ids: give 1 to %d, with commas between them", n, pageEntries))
	}
	found := &trialpb.FoundRecords{Size: s.log.Size()} // before the entries, so that none below it is missed
	for _, id := range req.GetIds() {
		key, err := recordKey(req.GetKind(), id, logserver.LookupKinds(), logserver.LookupKey)
		if err != nil {
			return nil, err
		}
		list, err := s.log.About(ctx, key, 0, 1)
		if err != nil {
			return nil, err
		}
		if len(list) > 0 {
			found.Ids = append(found.Ids, id)
		}
	}
	return found, nil
}

// GetHistory implements trialpb.LogServer.
func (s *service) GetHistory(ctx context.Context, req *trialpb.GetHistoryRequest) (*trialpb.History, error) {
	key, err := recordKey(req.GetKind(), req.GetId(), trial.RecordKinds(), func(kind, id string) (trial.RecordKey, error) {
		key := trial.RecordKey{Kind: kind, ID: id}
		return key, key.Check()
	})
	if err != nil {
		return nil, err
	}
	if key.Kind == "key" {
		return nil, badRequest("what a key signed is not listed by key: histories are of a trial, identifier, org, seal or log")
	}
	if err := s.log.Stale(); err != nil {
		return nil, err
	}
	if req.GetFrom() > maxIndex || req.GetSize() > maxIndex {
		return nil, badRequest("from or size is larger than any index")
	}
	return s.pages.get(ctx, pageKey{key, req.GetSize(), req.GetFrom()}, func() (*trialpb.History, error) {
		h, err := s.log.History(ctx, key, req.GetSize(), req.GetFrom())
		if err != nil {
			return nil, err
		}
		return toHistory(key, h), nil
	})
}

func recordKey(kind, id string, kinds []string, parse func(kind, id string) (trial.RecordKey, error)) (trial.RecordKey, error) {
	if !slices.Contains(kinds, kind) {
		return trial.RecordKey{}, badRequest("kind is one of " + strings.Join(kinds, ", "))
	}
	if id == "" {
		return trial.RecordKey{}, badRequest("id is missing")
	}
	key, err := parse(kind, id)
	if err != nil {
		return trial.RecordKey{}, badRequest(err.Error())
	}
	return key, nil
}

// maxIndex is above every index: integers in canonical JSON end there.
const maxIndex = 1 << 53

func (s *service) about(ctx context.Context, key trial.RecordKey, from uint64) (*trialpb.Entries, error) {
	if err := s.log.Stale(); err != nil {
		return nil, err
	}
	if from > maxIndex {
		return nil, badRequest("from is larger than any index")
	}
	size := s.log.Size() // before the entries, so that none below it is missed
	list, err := s.log.About(ctx, key, from, pageEntries)
	if err != nil {
		return nil, err
	}
	return toEntries(list, size), nil
}

// GetLog implements trialpb.LogServer.
func (s *service) GetLog(ctx context.Context, req *trialpb.GetLogRequest) (*trialpb.LogDescription, error) {
	return &trialpb.LogDescription{
		Origin: s.log.Origin(), Size: s.log.Size(), Policy: s.policy, Quorum: s.log.Policy().QuorumText(),
	}, nil
}

// StreamEntries implements trialpb.LogServer.
func (s *service) StreamEntries(req *trialpb.StreamEntriesRequest, stream grpc.ServerStreamingServer[trialpb.Entry]) error {
	return s.stream(stream.Context(), req, stream.Send, func() error { return nil })
}

// stream sends entries until ctx ends or the log stops, and returns why. It calls flush when it
// has sent all there are.
func (s *service) stream(
	ctx context.Context, req *trialpb.StreamEntriesRequest, send func(*trialpb.Entry) error, flush func() error,
) error {
	select {
	case s.streaming <- struct{}{}:
		defer func() { <-s.streaming }()
	default:
		return tooMany("too many streams are open: try again, or read /tile/entries", retryNotReady)
	}
	s.metrics.streams.Inc()
	defer s.metrics.streams.Dec()
	if req.GetFrom() > maxIndex {
		return badRequest("from is larger than any index")
	}
	for next := req.GetFrom(); ; {
		raws, err := s.log.Entries(ctx, next, pageEntries)
		if err != nil {
			return err
		}
		for _, raw := range raws {
			if err := send(toEntry(next, raw)); err != nil {
				return err
			}
			next++
		}
		if err := flush(); err != nil {
			return err
		}
		if len(raws) > 0 {
			continue
		}
		if _, err := s.log.Await(ctx, next); err != nil {
			if stopped := s.log.Err(); stopped != nil && ctx.Err() == nil {
				return s.log.Ready()
			}
			return err
		}
	}
}
