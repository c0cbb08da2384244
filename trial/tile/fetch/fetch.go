// Package fetch reads a log's checkpoint and tiles over HTTP, or from a folder of files. It is
// the only package under trial that uses net/http. Nothing that it returns has been checked:
// packages checkpoint and audit do that.
package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"time"

	"github.com/trialproof/trialproof/trial/tile"
)

// ErrNotServed is wrapped if the source does not have a file.
var ErrNotServed = errors.New("it is not there")

// firstPause is how long a Client waits before the second try; each further pause is twice as
// long.
const firstPause = 200 * time.Millisecond

// Options say how patient a Client is, and whether it follows redirects.
type Options struct {
	Wait        time.Duration // for one answer, at most
	Tries       int           // how often a file is asked for if the next answer may be better; 0 means once
	NoRedirects bool          // contact only the URL given, for example because others chose it
}

// A Client is a tile.Source over HTTP or a folder. It may be used by several goroutines.
type Client struct {
	base  string // as it was given
	from  string // the URL that is requested: base, without the drive of a folder on Windows
	http  *http.Client
	tries int
}

// New returns a client for the tiles below a URL, such as https://mirror.example/log or
// file:///backup/tiles; on Windows, file:///C:/backup/tiles.
func New(base string, o Options) (*Client, error) {
	u, err := url.Parse(base)
	base = strings.TrimRight(base, "/")
	root, from, served := "/", base, false
	if err == nil {
		switch u.Scheme {
		case "http", "https":
			served = u.Host != ""
		case "file":
			root, from = local(runtime.GOOS, u, base)
			served = u.Host == "" && u.Path != ""
		}
	}
	if !served {
		return nil, fmt.Errorf("%q is not the URL of tiles, such as https://mirror.example/log or file:///backup/tiles "+
			"(on Windows, file:///C:/backup/tiles)", base)
	}
	t := &http.Transport{
		Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 16, IdleConnTimeout: 90 * time.Second, ForceAttemptHTTP2: true,
	}
	t.RegisterProtocol("file", http.NewFileTransport(http.Dir(root)))
	c := &Client{base: base, from: from, tries: o.Tries, http: &http.Client{Timeout: o.Wait, Transport: t}}
	if o.NoRedirects {
		c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	return c, nil
}

// local returns, for the URL of a folder, the folder in which paths begin and the URL below it.
// On Windows the folder is the drive that the path names, with slashes of either kind, or the
// current one.
func local(goos string, u *url.URL, base string) (root, from string) {
	if goos != "windows" {
		return "/", base
	}
	root, path := "/", strings.ReplaceAll(u.Path, `\`, "/")
	if len(path) > 2 && path[2] == ':' && path[1]|0x20 >= 'a' && path[1]|0x20 <= 'z' {
		root, path = path[1:3]+"/", path[3:]
	}
	return root, (&url.URL{Scheme: "file", Path: "/" + strings.Trim(path, "/")}).String()
}

// URL returns where the client reads, without a slash at its end.
func (c *Client) URL() string { return c.base }

// Checkpoint implements tile.Source.
func (c *Client) Checkpoint(ctx context.Context) ([]byte, error) { return c.get(ctx, "checkpoint") }

// Tile implements tile.Source.
//
// SPEC: "If a client is unable to fetch a partial tile, it SHOULD try the full tile".
//
// If the files are those of a log's own folder, the file with the full tile's name has the
// partial one.
func (c *Client) Tile(ctx context.Context, path string) ([]byte, error) {
	data, err := c.get(ctx, path)
	if full, _, partial := strings.Cut(path, ".p/"); partial && errors.Is(err, ErrNotServed) {
		return c.get(ctx, full)
	}
	return data, err
}

func (c *Client) get(ctx context.Context, path string) (data []byte, err error) {
	pause := firstPause
	for try := 1; ; try++ {
		var again bool
		if data, again, err = c.try(ctx, path); err == nil || !again || try >= c.tries {
			return data, err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		pause *= 2
	}
}

// try gets a file once, and says whether another try may succeed.
func (c *Client) try(ctx context.Context, path string) (data []byte, again bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.from+"/"+path, nil)
	if err != nil {
		return nil, false, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, ctx.Err() == nil, err
	}
	defer resp.Body.Close()
	data, err = io.ReadAll(io.LimitReader(resp.Body, tile.MaxBundle+1))
	switch {
	case err != nil:
		return nil, true, err
	case resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusForbidden: // as object stores answer
		return nil, false, fmt.Errorf("%s/%s: %w", c.base, path, ErrNotServed)
	case resp.StatusCode != http.StatusOK:
		return nil, resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests,
			fmt.Errorf("%s/%s answers status %d", c.base, path, resp.StatusCode)
	case len(data) > tile.MaxBundle:
		return nil, false, fmt.Errorf("%s/%s has more than %d bytes", c.base, path, tile.MaxBundle)
	}
	return data, false, nil
}
