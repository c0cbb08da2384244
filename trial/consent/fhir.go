package consent

import "errors"

// ReadFHIR reads a FHIR Consent.
func ReadFHIR(data []byte) (*Terms, error) { return nil, errors.New("not read") }
