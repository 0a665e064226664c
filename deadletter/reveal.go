package deadletter

import (
	"context"
	"strconv"
	"unicode/utf8"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
)

// Reveal is [Browser.Show] with nothing hidden: patient data too. Note is called once the dead letter is found and before anything of it is
// returned; with its error nothing is.
func (b *Browser) Reveal(ctx context.Context, at record.Position, note func() error) (Detail, error) {
	r, err := b.find(ctx, at)
	if err != nil {
		return Detail{}, err
	}
	if err := note(); err != nil {
		return Detail{}, err
	}
	d := b.detail(r)
	d.Key = wholeText(r.Key)
	for i, header := range r.Headers {
		d.Headers[i].Name = headerName(header.Key)
		if d.Headers[i].Hidden {
			d.Headers[i].Value, d.Headers[i].Hidden = wholeText(header.Value), false
		}
	}
	value, _ := Value(r)
	contentType, _ := r.Header("content-type")
	d.Body, d.Event, d.Raw = messages.RevealBody(b.typeOf(r.Topic), value, string(contentType))
	return d, nil
}

// wholeText is bytes as text, quoted where they are none that can be printed.
func wholeText(value []byte) string {
	text := string(value)
	if !utf8.ValidString(text) {
		return strconv.Quote(text)
	}
	for _, r := range text {
		if !strconv.IsPrint(r) {
			return strconv.Quote(text)
		}
	}
	return text
}
