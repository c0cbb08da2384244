package checkpoint_test

import "github.com/trialproof/trialproof/trial/trialtest"

var (
	w1, w2, w3  = trialtest.W1, trialtest.W2, trialtest.W3
	policyText  = trialtest.PolicyText
	parsePolicy = trialtest.ParsePolicy
)
