package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/trialproof/trialproof/trial/tile"
)

// A tileSource is anyone who serves c2sp.org/tlog-tiles: the log itself, a mirror,
// or a plain server of files over a copy of the tiles.
type tileSource struct {
	base string
	http *http.Client
}

func newTileSource(base string) (*tileSource, error) {
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "file" && (u.Host == "" || u.Scheme != "http" && u.Scheme != "https") || u.Scheme == "file" && (u.Host != "" || u.Path == "") {
		return nil, usagef("-from %q is not the URL of tiles, such as https://mirror.example/log or file:///backup/tiles", base)
	}
	t := &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 16, IdleConnTimeout: 90 * time.Second, ForceAttemptHTTP2: true}
	t.RegisterProtocol("file", http.NewFileTransport(http.Dir("/")))
	return &tileSource{strings.TrimRight(base, "/"), &http.Client{Timeout: time.Minute, Transport: t}}, nil
}

const (
	// A mirror that is busy for a moment does not end a restore of hours.
	fetchTries = 5
	fetchPause = 200 * time.Millisecond // doubled each time
)

var errNotServed = errors.New("it is not there")

// Checkpoint implements tile.Source.
func (s *tileSource) Checkpoint(ctx context.Context) ([]byte, error) { return s.get(ctx, "checkpoint") }

// Tile implements tile.Source.
//
//	SPEC: "If a client is unable to fetch a partial tile, it SHOULD try the full
//	tile".
//
// Where the files are those of a log's own folder, what stands there under the
// full tile's name is the partial one.
func (s *tileSource) Tile(ctx context.Context, path string) ([]byte, error) {
	data, err := s.get(ctx, path)
	if full, _, partial := strings.Cut(path, ".p/"); partial && errors.Is(err, errNotServed) {
		return s.get(ctx, full)
	}
	return data, err
}

func (s *tileSource) get(ctx context.Context, path string) (data []byte, err error) {
	pause := fetchPause
	for range fetchTries {
		var again bool
		if data, again, err = s.try(ctx, path); err == nil || !again {
			return data, err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		pause *= 2
	}
	return nil, err
}

// try gets a file once, and says whether another try may do better.
func (s *tileSource) try(ctx context.Context, path string) (data []byte, again bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base+"/"+path, nil)
	if err != nil {
		return nil, false, err
	}
	resp, err := s.http.Do(req)
	if err != nil {
		return nil, ctx.Err() == nil, err
	}
	defer resp.Body.Close()
	data, err = io.ReadAll(io.LimitReader(resp.Body, tile.MaxBundle+1))
	switch {
	case err != nil:
		return nil, true, err
	case resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusForbidden: // as object stores say it
		return nil, false, fmt.Errorf("%s/%s: %w", s.base, path, errNotServed)
	case resp.StatusCode != http.StatusOK:
		return nil, resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests, fmt.Errorf("%s/%s answers status %d", s.base, path, resp.StatusCode)
	case len(data) > tile.MaxBundle:
		return nil, false, fmt.Errorf("%s/%s has over %d bytes", s.base, path, tile.MaxBundle)
	}
	return data, false, nil
}
