package config

import (
	"fmt"
	"io"
	"reflect"
	"slices"
)

// secretFile is the setting beside a secret that gives its file.
func secretFile(secret instance) instance {
	parts := slices.Clone(secret.parts)
	parts[len(parts)-1] += "_file"
	return instance{Setting: Setting{Path: secret.Path + "_file", Kind: KindText}, parts: parts, opens: true}
}

// secretSource is where a secret is looked for.
type secretSource struct {
	lookup func(instance) (any, Origin, bool)
	warn   func(sentence string)
}

// read takes a secret from its variable or from its file: whichever of the two counts more, and not both from one place.
func (s secretSource) read(one instance) (Secret, Origin, *Mistake) {
	direct, origin, found := s.lookup(one)
	beside := secretFile(one)
	path, fileOrigin, inFile := s.lookup(beside)
	if unread, ok := direct.(*springUnread); ok && (!inFile || fileOrigin.Source != SourceEnvironment) {
		return Secret{}, origin, refusal(one, unread, origin, unread.wrong)
	}
	// A Spring file may have secrets, as it has them there.
	if found && origin.Source != SourceEnvironment && origin.Property == "" {
		return Secret{}, origin, &Mistake{Path: one.path(), Origin: origin.String(), Reason: "a secret written here is read by whoever reads this",
			Advice: "write its file's name into " + beside.path() + " or set " + environmentName(one.parts)}
	}
	switch {
	case found && inFile && fileOrigin.Source == SourceEnvironment && origin.Source == SourceEnvironment:
		return Secret{}, origin, &Mistake{Path: origin.Name, Reason: fileOrigin.Name + " is set too", Advice: "set one of the two"}
	case inFile && (!found || fileOrigin.Source == SourceFlag || origin.Source != SourceEnvironment):
		secret, mistake := s.open(beside, path, fileOrigin)
		return secret, fileOrigin, mistake
	case found:
		text, _ := direct.(string)
		return NewSecret(text), origin, nil
	default:
		return Secret{}, Origin{Source: SourceDefault}, nil
	}
}

func (s secretSource) open(beside instance, path any, origin Origin) (Secret, *Mistake) {
	text, ok := path.(string)
	if !ok || text == "" {
		return Secret{}, &Mistake{Path: beside.path(), Origin: origin.String(), Reason: "it is not the name of a file", Advice: "write one"}
	}
	secret, open, err := readSecret(text)
	if err != nil {
		return Secret{}, &Mistake{Path: beside.path(), Value: quoted(text), Origin: origin.String(), Reason: "the secret cannot be read: " + err.Error(),
			Advice: "write the name of a file that has the secret"}
	}
	if open {
		s.warn(fmt.Sprintf("%s is %q, which every user of this machine may read; chmod o-r takes that away", beside.path(), text))
	}
	return secret, nil
}

// readSecret takes a plugin's secret.
func (r *pluginReading) readSecret(field pluginField) (Origin, *Mistake) {
	source := secretSource{lookup: r.lookup, warn: func(sentence string) { r.warnings = append(r.warnings, sentence) }}
	secret, origin, mistake := source.read(field.instance)
	if mistake == nil && origin.Source != SourceDefault {
		field.value.Set(reflect.ValueOf(secret))
	}
	return origin, mistake
}

// resolveSecret takes a secret of ours.
func (l *Loaded) resolveSecret(one instance) (any, Origin, *Mistake) {
	source := secretSource{
		lookup: func(one instance) (any, Origin, bool) { return l.lookup(one.key()) },
		warn:   func(sentence string) { l.warn([]string{sentence}) },
	}
	secret, origin, mistake := source.read(one)
	if secret.file == "" {
		return secret.value, origin, mistake
	}
	return heldSecret{secret.value, secret.file}, origin, mistake
}

// heldSecret is a secret on its way into the settings: who carries it copies exported fields alone.
type heldSecret struct{ Value, File string }

// Format writes *** for every verb.
func (heldSecret) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, hidden) }
