// Package custody reads what says who had which pack: the codes on labels, as hand scanners
// send them, and the shipping and receiving events of GS1 EPCIS 2.0. It draws the labels too.
//
// It knows no file, clock, network, log or key: whoever calls it gives the bytes, the year and
// the randomness, and decides what a code or an event means for a trial.
package custody
