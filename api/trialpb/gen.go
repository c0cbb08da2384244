// Package trialpb has the protocol buffers of the log's interface and the code
// generated from them. Package api alone imports it: its types stop there.
//
// deploy/test.sh generates again and compares.
package trialpb

import _ "embed"

//go:generate ./generate.sh

// OpenAPI is the generated OpenAPI 2.0 document of the JSON interface, without
// the plain files that are served beside it.
//
//go:embed trialproof.swagger.json
var OpenAPI []byte
