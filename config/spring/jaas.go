package spring

import (
	"errors"
	"strings"
	"unicode"
)

// Login is what a JAAS configuration says: the login module and its options.
type Login struct {
	// Module is the class without its package, for example ScramLoginModule.
	Module string
	// Options have their values as they are, without quotes. They may be secret: they are never printed.
	Options map[string]string
}

// String has no option: any of them may be secret.
func (l Login) String() string { return l.Module }

// GoString is String: %#v prints no option either.
func (l Login) GoString() string { return l.Module }

// ParseLogin reads a JAAS configuration as Kafka's client does (sasl.jaas.config): a class, a control flag, options, a semicolon. Values
// are in quotes with a backslash before what would end them, or plain. No error has any part of the text, for that may be a password.
func ParseLogin(text string) (Login, error) {
	reader := &loginReader{rest: text}
	class, err := reader.next()
	if err != nil {
		return Login{}, err
	}
	if class.kind != word {
		return Login{}, errors.New("it does not begin with the class of a login module")
	}
	flag, err := reader.next()
	if err != nil {
		return Login{}, err
	}
	switch strings.ToLower(flag.text) {
	case "required", "requisite", "sufficient", "optional":
	default:
		return Login{}, errors.New("there is no control flag (required) behind the class of the login module")
	}
	login := Login{Module: class.text[strings.LastIndexByte(class.text, '.')+1:], Options: map[string]string{}}
	if err := reader.options(login.Options); err != nil {
		return Login{}, err
	}
	if rest, err := reader.next(); err != nil || rest.kind != end {
		return Login{}, errors.New("there is something behind the semicolon; one login module is all that a client has")
	}
	return login, nil
}

type tokenKind int

const (
	end tokenKind = iota
	word
	quoted
	sign
)

type token struct {
	kind tokenKind
	text string
}

type loginReader struct{ rest string }

// options reads name=value up to the semicolon.
func (r *loginReader) options(into map[string]string) error {
	for {
		name, err := r.next()
		switch {
		case err != nil:
			return err
		case name == token{sign, ";"}:
			return nil
		case name.kind == end:
			return errors.New("it does not end in a semicolon")
		case name.kind == sign:
			return errors.New("an option has no name; is a quote within a value without its backslash?")
		}
		equals, err := r.next()
		if err != nil {
			return err
		}
		if equals != (token{sign, "="}) {
			return errors.New("an option has no value; is a quote within a value without its backslash?")
		}
		value, err := r.next()
		if err != nil {
			return err
		}
		if value.kind != word && value.kind != quoted {
			return errors.New("an option has no value; write one in quotes")
		}
		into[name.text] = value.text
	}
}

// next is the next token; white space and comments are left out.
func (r *loginReader) next() (token, error) {
	if err := r.skip(); err != nil {
		return token{}, err
	}
	if r.rest == "" {
		return token{}, nil
	}
	if first := r.rest[0]; first == '"' || first == '\'' {
		return r.quoted(first)
	}
	length := strings.IndexFunc(r.rest, func(c rune) bool {
		return !(unicode.IsLetter(c) || unicode.IsDigit(c) || strings.ContainsRune("._-$", c) || c > 127)
	})
	if length < 0 {
		length = len(r.rest)
	}
	kind := word
	if length == 0 {
		kind, length = sign, 1
	}
	text := r.rest[:length]
	r.rest = r.rest[length:]
	return token{kind, text}, nil
}

func (r *loginReader) skip() error {
	for {
		r.rest = strings.TrimLeft(r.rest, " \t\r\n\f\v")
		switch {
		case strings.HasPrefix(r.rest, "//"):
			_, r.rest, _ = strings.Cut(r.rest, "\n")
		case strings.HasPrefix(r.rest, "/*"):
			_, rest, closed := strings.Cut(r.rest[2:], "*/")
			if !closed {
				return errors.New("a comment does not end")
			}
			r.rest = rest
		default:
			return nil
		}
	}
}

// quoted reads a value in quotes.
func (r *loginReader) quoted(quote byte) (token, error) {
	var value strings.Builder
	for i := 1; i < len(r.rest); i++ {
		switch c := r.rest[i]; {
		case c == quote:
			r.rest = r.rest[i+1:]
			return token{quoted, value.String()}, nil
		case c == '\n' || c == '\r':
			return token{}, errors.New("a quote does not end in its line")
		case c == '\\' && i+1 < len(r.rest):
			decoded, length := escape(r.rest[i+1:])
			value.WriteString(decoded)
			i += length
		default:
			value.WriteByte(c)
		}
	}
	return token{}, errors.New("a quote does not end; is one within a value without its backslash?")
}

// escape reads what stands behind a backslash, as Java's StreamTokenizer does: up to three octal digits, a letter for a control character,
// or the character itself.
func escape(text string) (string, int) {
	most := 3
	if text[0] > '3' {
		most = 2
	}
	code, length := rune(0), 0
	for length < len(text) && length < most && text[length] >= '0' && text[length] <= '7' {
		code, length = code*8+rune(text[length]-'0'), length+1
	}
	if length > 0 {
		return string(code), length
	}
	if control, known := map[byte]string{'a': "\a", 'b': "\b", 'f': "\f", 'n': "\n", 'r': "\r", 't': "\t", 'v': "\v"}[text[0]]; known {
		return control, 1
	}
	return text[:1], 1
}
