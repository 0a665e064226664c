package router

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
)

// contentError is a record whose content is at fault. Its text says what is wrong and quotes nothing.
type contentError struct {
	class record.Class
	text  string
}

func (e *contentError) Error() string { return e.text }

func faulty(class record.Class, format string, arguments ...any) error {
	return &contentError{class: class, text: fmt.Sprintf(format, arguments...)}
}

// namesType says whether a header is one in which producers name the type of a record's value: Spring Kafka's and CloudEvents'.
func namesType(key string) bool {
	switch key {
	case "__TypeId__", "ce_type", "ce-type", "cloudEvents:type", "cloudEvents_type":
		return true
	}
	return false
}

// decode reads an event, with the limits and policies that hold for every decoding consumer.
func (h *handler) decode(r *record.Record) (messages.Decoded, error) {
	switch {
	case len(r.Value) > h.limits.ValueBytes:
		return messages.Decoded{}, faulty(record.ClassTooLarge, "the value has %d bytes, more than limits.value_bytes allows (%d)", len(r.Value), h.limits.ValueBytes)
	case len(r.Headers) > h.limits.Headers:
		return messages.Decoded{}, faulty(record.ClassTooLarge, "the record has %d headers, more than limits.headers allows (%d)", len(r.Headers), h.limits.Headers)
	}
	if err := h.checkType(r); err != nil {
		return messages.Decoded{}, err
	}
	contentType, _ := r.Header("content-type")
	payload, err := messages.Payload(r.Value, string(contentType))
	if err != nil {
		return messages.Decoded{}, h.contentFailure(err)
	}
	decoded, err := h.declared.Decode(payload)
	if err != nil {
		return messages.Decoded{}, h.contentFailure(err)
	}
	return decoded, nil
}

// checkType refuses a type header that names another of our types. A name that we do not know, an alias or another team's class, says
// nothing: the topic decides the type.
func (h *handler) checkType(r *record.Record) error {
	for i, header := range r.Headers {
		if !namesType(header.Key) || repeated(r.Headers[i+1:], header.Key) {
			continue
		}
		if before := h.accepted.Load(); before != nil && before.key == header.Key && before.value == string(header.Value) {
			continue
		}
		given := typeHeader{key: header.Key, value: string(header.Value)}
		name := given.value
		if given.key == "__TypeId__" {
			// A Java class: the packages before it say nothing.
			name = name[strings.LastIndexByte(name, '.')+1:]
		}
		if named, known := messages.TypeNamed(name, h.types); known && named.Name() != h.declared.Name() {
			return faulty(record.ClassTypeMismatch, "the header %s names %s on a topic of %s", given.key, named.Name(), h.declared.Name())
		}
		h.accepted.Store(&given)
	}
	return nil
}

// repeated says whether a key comes again: the last header of a key counts.
func repeated(headers []record.Header, key string) bool {
	return slices.ContainsFunc(headers, func(other record.Header) bool { return other.Key == key })
}

// typeHeader is a header that names a type.
type typeHeader struct{ key, value string }

// contentFailure applies the topic's policies to what the decoder found.
func (h *handler) contentFailure(err error) error {
	var failure *messages.Error
	if !errors.As(err, &failure) {
		return err
	}
	class := record.Class(failure.Class)
	policy := PolicyDeadLetter
	switch class {
	case record.ClassTombstone:
		policy = h.topic.Tombstone
	case record.ClassUnknownAction:
		policy = h.topic.UnknownAction
	case record.ClassUnknownStatus:
		policy = h.topic.UnknownStatus
	}
	if policy == PolicySkip {
		return Skip(failure.Class)
	}
	return &contentError{class: class, text: failure.Error()}
}

// checkContent is the rules that only a strict consumer has: the status and the key.
func (h *handler) checkContent(r *record.Record, decoded messages.Decoded) error {
	if err := decoded.Check(); err != nil {
		return h.contentFailure(err)
	}
	want := decoded.EntityID
	switch h.topic.Key {
	case KeyAny:
		return nil
	case KeyPatient:
		if patient, ok := decoded.Body.(interface{ Patient() string }); ok {
			want = patient.Patient()
		}
	}
	switch {
	case len(r.Key) == 0:
		return faulty(record.ClassMissingKey, "the record has no key; the topic's key rule is %s", h.keyRule())
	case string(r.Key) != want:
		return faulty(record.ClassKeyMismatch, "the record's key is another than the event's %s", h.keyRule())
	}
	return nil
}

func (h *handler) keyRule() KeyRule {
	if h.topic.Key == "" {
		return KeyID
	}
	return h.topic.Key
}
