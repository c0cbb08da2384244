package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net"
	"net/url"
	"os"
	"strings"

	"github.com/trialproof/trialproof/cmd/frame"
)

// checkReplica checks the flags of a server that is one of several.
func (s *serving) checkReplica() error {
	if !s.replica {
		if s.advertise != "" {
			return frame.Usagef("-advertise is for -replica")
		}
		return nil
	}
	if s.mysql == "" {
		return frame.Usagef("-replica needs -mysql: the database that the servers share. A log in SQLite has one server")
	}
	if s.advertise == "" {
		return nil
	}
	u, err := url.Parse(s.advertise)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.Path != "" || u.RawQuery != "" ||
		len(s.advertise) > maxURL {
		return frame.Usagef("-advertise is a URL such as https://log1.example:8080, without a path and with at most %d characters", maxURL)
	}
	return nil
}

// maxURL is how long the address of a replica may be: the database keeps it.
const maxURL = 500

// url is where the other servers reach this one.
func (s *serving) url(listening net.Addr, tls bool) string {
	if s.advertise != "" {
		return strings.TrimRight(s.advertise, "/")
	}
	scheme := "http://"
	if tls {
		scheme = "https://"
	}
	host, port, err := net.SplitHostPort(listening.String())
	if ip := net.ParseIP(host); err == nil && ip != nil && ip.IsUnspecified() {
		if name, err := os.Hostname(); err == nil {
			return scheme + net.JoinHostPort(name, port)
		}
	}
	return scheme + listening.String()
}

// secret is what only those who have the log's key know. By it the servers recognise what they
// pass on to each other.
func (s *serving) secret() (string, error) {
	key, err := os.ReadFile(s.path(keyName))
	if err != nil {
		return "", err
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("trialproof: passed on by a replica"))
	return hex.EncodeToString(mac.Sum(nil)), nil
}
