package messages_test

import (
	"testing"

	"github.com/prantikov/millrace/messages"
)

func BenchmarkDecode(b *testing.B) {
	for _, declared := range messages.Types() {
		payload := declared.Sample(messages.Created)
		b.Run(declared.Name(), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(payload)))
			for b.Loop() {
				if _, err := declared.Decode(payload); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkDecodeSpring decodes what Spring writes, a different event each time, so that no text is found in the decoder's cache by luck.
func BenchmarkDecodeSpring(b *testing.B) {
	for _, file := range []string{"p41-json-default.jsonl", "p41-json-iso.jsonl"} {
		var types []messages.Type
		var values [][]byte
		for _, record := range lines[springRecord](b, file) {
			if value := decoded64(b, record.Value); value != nil {
				types, values = append(types, typeOf(b, record.Topic)), append(values, value)
			}
		}
		b.Run(file, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if _, err := types[i%len(types)].Decode(values[i%len(values)]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEncode(b *testing.B) {
	decoded, err := messages.Appointments.Decode(messages.Appointments.Sample(messages.Created))
	if err != nil {
		b.Fatal(err)
	}
	event := decoded.Body.(*messages.AppointmentEvent)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := messages.Encode(messages.Appointments, event); err != nil {
			b.Fatal(err)
		}
	}
}
