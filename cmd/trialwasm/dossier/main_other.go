//go:build !(js && wasm)

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "trialwasm: this is for a web page: build it with GOOS=js GOARCH=wasm; here, use trial verify")
	os.Exit(2)
}
