package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/trialproof/trialproof/cmd/frame"
)

// browsers are programs that print a page as PDF, as systems name them.
var browsers = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge",
	"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"}

func findBrowser() (string, error) {
	for _, name := range browsers {
		if program, err := exec.LookPath(name); err == nil {
			return program, nil
		}
	}
	return "", frame.Usagef("-format pdf needs Chromium or Chrome, which is not installed here: write -format html, and print that in a " +
		"browser")
}

// printTime is how long a browser may take to print a page.
const printTime = 5 * time.Minute

// printPDF prints a page that needs no network.
func printPDF(ctx context.Context, browser string, html []byte) ([]byte, error) {
	dir, err := os.MkdirTemp("", "trialproof-print-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	from, to := filepath.Join(dir, "page.html"), filepath.Join(dir, "page.pdf")
	if err := os.WriteFile(from, html, 0o600); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, printTime)
	defer cancel()
	args := []string{"--headless", "--disable-gpu", "--no-first-run", "--user-data-dir=" + filepath.Join(dir, "profile"),
		"--no-pdf-header-footer",
		"--print-to-pdf=" + to, "file://" + filepath.ToSlash(from)}
	if os.Geteuid() == 0 {
		args = append([]string{"--no-sandbox"}, args...) // Chromium refuses to run for root with it
	}
	said, err := exec.CommandContext(ctx, browser, args...).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%s did not print: %w: %s", browser, err, frame.Printable(string(bytes.TrimSpace(said))))
	}
	pdf, err := os.ReadFile(to)
	if err != nil || !bytes.HasPrefix(pdf, []byte("%PDF")) {
		return nil, fmt.Errorf("%s wrote no PDF: %s", browser, frame.Printable(string(bytes.TrimSpace(said))))
	}
	return pdf, nil
}
