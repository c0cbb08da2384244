package sensor

import "strings"

// set returns the texts between bars; spaces and line ends around them do not count.
func set(list string) map[string]bool {
	m := map[string]bool{}
	for name := range strings.SplitSeq(list, "|") {
		m[strings.TrimSpace(name)] = true
	}
	return m
}

// The names of columns, as words returns them, in languages that loggers write.
var (
	// a date and time in one
	momentNames = set(`date time|datetime|time stamp|timestamp|date and time|time date|datum zeit|datum uhrzeit|zeitstempel|zeitpunkt|
		messzeit|messzeitpunkt|datum und uhrzeit|datum und zeit|horodatage|date heure|date et heure|fecha hora|
		fecha y hora|data ora|data e ora|data hora|data e hora|datum tijd|datum en tijd|data czas|data i czas|dato tid|
		dato og tid|datum tid|datum och tid|tidpunkt|tidsstempel|tidsstämpel|reading time|log time|logged at|
		record time|recorded at|recording time|sample time|measurement time|measured at|local time|utc time|
		date time utc|timestamp utc|time utc|utc|gmt|local date time|utc date time|日時|时间|日期时间|測定日時|datum a čas|
		dátum idő|tarih saat|aikaleima|дата время|date time gmt|event time|reading date time|reading date|log date|
		date and time utc|date time local|timestamp local`)
	// a date
	dateNames = set(`date|datum|fecha|data|dato|päivämäärä|pvm|日付|日期|dátum|tarih|дата|day|local date|utc date`)
	// a time of day
	clockNames = set(`time|zeit|uhrzeit|heure|hora|ora|tijd|czas|godzina|tid|klockslag|kl|aika|klo|時刻|čas|idő|saat|время|time of day`)
	// a logger's name or number
	deviceNames = set(`device|device id|deviceid|device serial|device serial number|device sn|serial|serial number|serial no|
		serialnumber|s n|sn|logger|logger id|logger serial|logger serial number|logger sn|logger s n|sensor id|
		sensor serial number|seriennummer|serien nr|geräte id|gerätenummer|geräteseriennummer|logger nr|loggernummer|
		numéro de série|numero de serie|número de serie|n de série|n de serie|numero di serie|serienummer|
		numer seryjny|registration number|1 wire ibutton registration number|device name|logger name|device no|
		monitor id|monitor serial number|tag id|instrument serial number|número de série|serial num|unit serial number|
		unit id|recorder id`)
	// a unit
	unitNames = set(`unit|units|einheit|unité|unités|unidad|unidades|unità|unidade|eenheid|jednostka|enhet|temperature unit|
		temperature units|temp unit|temp units|temperatureinheit|unit of measure|uom|unité de température|
		unidad de temperatura|unità di temperatura|temperature scale|scale`)
	// a value of the unit in another column
	valueNames = set(`value|wert|messwert|reading|measurement|valeur|valor|valore|waarde|data value|sensor value`)
	// words of columns that are no temperature of the pack
	otherWords = strings.Fields(`alarm alert alarme limit limits grenze grenzwert grenzwerte min max minimum maximum mini maxi low high
		lower upper mean avg average mittelwert moyenne media status state flag setpoint soll sollwert target dew dewpoint rosée rocio rocío
		rugiada mkt kinetic humidity humid rh feuchte attempt attempts template elapsed duration delta diff unit units std sd count
		threshold calibration comment note notes ok excursion excursions battery cpu board`)
)
