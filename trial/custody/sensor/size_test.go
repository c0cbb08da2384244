package sensor_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/trialproof/trialproof/trial/custody/sensor"
)

func BenchmarkCSV(b *testing.B) {
	for _, layout := range []string{"2006-01-02 15:04:05", "1/2/2006 3:04 PM", "02.01.06 15:04"} {
		b.Run(layout, func(b *testing.B) {
			var text strings.Builder
			text.WriteString("Date/Time;Temp °C\n")
			for i := range 100000 {
				fmt.Fprintf(&text, "%s;%d,%d\n", day.Add(time.Duration(i)*time.Minute).Format(layout), i%8, i%10)
			}
			z := zone(b, "America/New_York")
			for b.Loop() {
				if _, err := sensor.ReadCSV([]byte(text.String()),
					sensor.Options{Zone: z}); err != nil && !strings.Contains(err.Error(), "exist") {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEPCIS(b *testing.B) {
	var list []string
	for i := range 50000 {
		list = append(list, element(`"time":"`+day.Add(time.Duration(i)*time.Minute).Format(time.RFC3339)+`"`, five))
	}
	text := []byte(document(strings.Join(list, ",")))
	p := profile(b, design)
	for b.Loop() {
		s, err := sensor.ReadEPCIS(text, sensor.Options{})
		if err != nil {
			b.Fatal(err)
		}
		p.Assess(s, time.Time{}, time.Time{})
	}
}
