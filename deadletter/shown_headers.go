package deadletter

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
)

// ShownHeader is a header as it may be shown.
type ShownHeader struct {
	// Name is quoted when it has unprintable characters. [messages.Hidden] stands for one that a producer made up: it may have a patient's name.
	Name string `json:"name"`
	// Value is what the header says, numbers and times in plain text; [messages.Mask] when it is hidden.
	Value  string `json:"value"`
	Hidden bool   `json:"hidden"`
}

// shownHeaders shows what we wrote or, in another program's dead letter, what its headers are known to have; every other value is hidden, and every
// name that is not known. What stands before our own headers came with the record, under whatever name.
func shownHeaders(headers []record.Header) []ShownHeader {
	begin, ours := findBlock(headers)
	shown := make([]ShownHeader, len(headers))
	for i, header := range headers {
		shown[i] = ShownHeader{Name: knownName(header.Key), Value: messages.Mask, Hidden: true}
		var value string
		switch inBlock := ours && i >= begin && (i < begin+len(ourBlock()) || header.Key == record.RedriveLetterHeader); {
		case inBlock:
			value = ourText(header)
		case !ours:
			value = familyText(header)
		}
		if value != "" || len(header.Value) == 0 {
			shown[i].Value, shown[i].Hidden = value, false
		}
	}
	return shown
}

// knownName is a header's name where many programs use it, so that it is about nobody.
func knownName(key string) string {
	_, ofFamily := familyOf(key)
	if ofFamily && isPlainName(key) || key == record.RedriveLetterHeader || slices.Contains(ourBlock(), key) || slices.Contains(wellKnown(), key) {
		return headerName(key)
	}
	return messages.Hidden(key)
}

// wellKnown are the names of headers that libraries set: types, content, CloudEvents, traces, correlation.
func wellKnown() []string {
	return []string{
		"__TypeId__", "__ContentTypeId__", "__KeyTypeId__", "spring_json_header_types", "content-type", "contentType", "content-encoding",
		"ce_id", "ce_source", "ce_specversion", "ce_type", "ce_time", "ce_subject", "ce_datacontenttype", "ce_dataschema",
		"traceparent", "tracestate", "baggage", "b3", "X-B3-TraceId", "X-B3-SpanId", "X-B3-ParentSpanId", "X-B3-Sampled", "uber-trace-id", "x-request-id",
		"kafka_correlationId", "kafka_replyTopic", "kafka_replyPartition", "correlation-id", "correlationId", "message-id", "timestamp", "_watermill_message_uuid",
	}
}

// isPlainName says whether a name has no more in it than what Spring, Connect and Streams put into theirs.
func isPlainName(key string) bool {
	return len(key) <= 64 && !strings.ContainsFunc(key, func(r rune) bool { return r > 'z' || !strings.ContainsRune("._-", r) && !isLetterOrDigit(r) })
}

func isLetterOrDigit(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

func headerName(key string) string {
	key = key[:min(len(key), maxNameBytes)]
	for _, r := range key {
		if !strconv.IsPrint(r) || r == '\uFFFD' {
			return strconv.Quote(key)
		}
	}
	return key
}

// ourText is the text of one of our headers; empty when its value is not what we would have written.
func ourText(header record.Header) string {
	switch header.Key {
	case ClassHeader, ConsumerHeader, HandlerHeader:
		return name(header.Value)
	case AttemptsHeader:
		return decimalText(header.Value)
	case record.RedriveLetterHeader:
		if at, err := record.ParsePosition(string(header.Value)); err == nil {
			return at.String()
		}
		return ""
	case FirstFailureHeader, FailedAtHeader:
		return timeText(moment(header.Value))
	case springMessage:
		for _, explanation := range Explanations() {
			if explanation.Meaning == string(header.Value) {
				return explanation.Meaning
			}
		}
		return ""
	default:
		return familyText(header)
	}
}

// familyText is the text of a header that carries a place, a time or the name of a class or a group; empty for messages, stack traces and all
// that is not known, which may quote the event.
func familyText(header record.Header) string {
	family, ok := familyOf(header.Key)
	if !ok {
		return ""
	}
	key, value := header.Key, header.Value
	switch {
	case strings.HasSuffix(key, "-fqcn"), strings.HasSuffix(key, ".class.name"), key == "__streams.errors.exception":
		return className(value)
	case strings.HasSuffix(key, "-topic"), strings.HasSuffix(key, ".topic"), key == "topic_poisoned":
		return topicName(value)
	case strings.HasSuffix(key, "-timestamp-type"), strings.HasSuffix(key, "-consumer-group"), strings.HasSuffix(key, ".group"),
		strings.HasSuffix(key, ".connector.name"), strings.HasSuffix(key, ".stage"), key == "handler_poisoned", key == "subscriber_poisoned":
		return name(value)
	case family == FamilySpring, family == FamilySpringRetry:
		return springNumber(key, value)
	default:
		switch key[strings.LastIndexByte(key, '.')+1:] {
		case "partition", "offset", "id", "count":
			return decimalText(value)
		}
		return ""
	}
}

func springNumber(key string, value []byte) string {
	switch {
	case key == "retry_topic-original-timestamp", key == "retry_topic-backoff-timestamp":
		if number, ok := bigInteger(value); ok {
			return timeText(time.UnixMilli(number))
		}
		return ""
	case strings.HasSuffix(key, "-partition"), strings.HasSuffix(key, "-offset"), key == "retry_topic-attempts":
		if number, ok := binaryNumber(value, maxOffset); ok {
			return strconv.FormatInt(number, 10)
		}
		return ""
	case strings.HasSuffix(key, "-timestamp"):
		if number, ok := binaryNumber(value, maxOffset); ok {
			return timeText(time.UnixMilli(number))
		}
	}
	return ""
}

func decimalText(value []byte) string {
	if _, ok := decimal(value, maxOffset); ok {
		return string(value)
	}
	return ""
}

func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}
