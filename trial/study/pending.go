package study

func parseCTGovV1(data []byte) (*Study, error) { return nil, ErrUnknown }
func parseUSDM(data []byte) (*Study, error)    { return nil, ErrUnknown }
func parseFHIR(data []byte) (*Study, error)    { return nil, ErrUnknown }
