package engine

import (
	"bytes"
	"context"
	"flag"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
)

// logTo receives what Trillian and the MySQL driver log. Until LogTo is called, slog's default
// logger does.
var logTo atomic.Pointer[slog.Logger]

// installKlog routes klog, which Trillian logs with, to this package. klog's settings are made
// on a flag set of their own, apart from the command's flags.
var installKlog = sync.OnceFunc(func() {
	fs := flag.NewFlagSet("klog", flag.ContinueOnError)
	klog.InitFlags(fs)
	fs.Set("logtostderr", "false")
	fs.Set("v", "0")
	klog.SetLoggerWithOptions(logr.Discard(), klog.WriteKlogBuffer(writeKlog))
})

// LogTo makes Trillian and the MySQL driver log to l, for the whole process; the last call
// counts. Trillian's information, a line for every batch, is logged at the debug level;
// warnings and errors keep their level. Call it before the first tree is opened.
func LogTo(l *slog.Logger) {
	logTo.Store(l)
	installKlog()
}

// writeKlog logs one record in klog's form:
//
//	W1122 08:30:12.345678   12345 log_storage.go:401] the message
//
// klog reuses the buffer after it returns.
func writeKlog(b []byte) {
	l := logTo.Load()
	if l == nil {
		l = slog.Default()
	}
	if len(b) == 0 {
		return
	}
	level := slog.LevelDebug
	switch b[0] {
	case 'W':
		level = slog.LevelWarn
	case 'E', 'F':
		level = slog.LevelError
	}
	ctx := context.Background()
	if !l.Enabled(ctx, level) {
		return
	}
	header, msg, ok := bytes.Cut(b, []byte("] "))
	if !ok {
		header, msg = nil, b
	}
	l.Log(ctx, level, "trillian: "+string(bytes.TrimSpace(msg)), "at", string(header[bytes.LastIndexByte(header, ' ')+1:]))
}
