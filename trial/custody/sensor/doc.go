// Package sensor reads the files of temperature loggers and judges how long a medicine pack stood
// at which temperature. It has no file, network, clock or floating-point number: the same bytes
// give the same verdict on every machine.
//
// # Readings
//
// [Read] takes EPCIS 2.0 JSON (sensorElementList) or a logger's CSV. A [Reading] is a temperature
// at one time, or the lowest and the highest temperature over a period. Temperatures are integer
// milli-degrees Celsius, converted exactly and then rounded outwards: the lowest is rounded down
// and the highest up. So 8.0004 °C is 8000 to 8001, and a band that ends at 8000 does not hold it.
//
// In EPCIS a report's value is at the report's own time, else at the time of its sensorMetadata,
// else over startTime to endTime, else at the event's eventTime. A minimum and a maximum are over
// startTime to endTime, else at the first of those times. Units are CEL, FAH and KEL (UN/ECE
// Recommendation 20). A mean or a percentile outside the minimum and the maximum widens them. A
// mean alone, a minimum alone, an alarm without a value, a sensor's error and an event that was
// declared wrong are doubts; the readings of such an event count even so.
//
// In a CSV file a local time that occurs twice, when clocks go back, is resolved by the order of
// the lines if the file shows both hours, and is refused otherwise. A local time that does not
// exist is refused. A last line that may be cut is an error, or a doubt where nobody can tell. A
// missing reading ("---", NC, OL, an empty field) is noted and leaves a gap, at the ends of the
// file too; a sensor beyond its range (HI, LO) is a doubt.
//
// # Rules
//
//   - A reading counts to the first band of the [Profile] that holds it, both its lowest and its
//     highest temperature. If no band does, it is out.
//   - The time between two readings counts to the worse of the two: to the band that comes later,
//     and out is the worst.
//   - A period counts whole, to its own band. A reading strictly within it that exceeds its minimum
//     or maximum widens them. Where periods overlap the worst counts, and no time counts twice.
//   - Readings at the same time: the worst counts.
//   - The time between two readings that are more than maxGap minutes apart is unknown, whatever
//     they are. A reading that is out is an excursion even so, because it was seen.
//   - The time of a leg before the first or after the last reading counts to that reading, or is
//     unknown if it is longer than maxGap. A leg that no reading touches is unknown.
//   - Readings beside a leg count for its edges. So a leg may be cut at any time between the first
//     and the last reading, and the parts add up to the whole.
//   - Times are whole seconds: a time is rounded down, the end of a period up.
package sensor
