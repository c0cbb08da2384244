// Package trialpb has the protocol buffers of the log's interface and the code
// generated from them. Package api alone imports it: its types stop there.
//
// deploy/test.sh generates again and compares.
package trialpb

//go:generate ./generate.sh
