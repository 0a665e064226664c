package config

import (
	"fmt"
	"reflect"
	"slices"
)

// secretFile is the setting beside a secret that gives its file.
func secretFile(secret instance) instance {
	parts := slices.Clone(secret.parts)
	parts[len(parts)-1] += "_file"
	return instance{Setting: Setting{Path: secret.Path + "_file", Kind: KindText}, parts: parts}
}

// readSecret takes a secret from its variable or from its file: whichever of the two counts more, and not both from one place.
func (r *pluginReading) readSecret(field pluginField) (Origin, *Mistake) {
	direct, origin, found := r.lookup(field.instance)
	beside := secretFile(field.instance)
	path, fileOrigin, inFile := r.lookup(beside)
	if found && origin.Source != SourceEnvironment {
		return origin, &Mistake{Path: field.path(), Origin: origin.String(), Reason: "a secret written here is read by whoever reads this",
			Advice: "write its file's name into " + beside.path() + " or set " + environmentName(field.parts)}
	}
	switch {
	case found && inFile && fileOrigin.Source == SourceEnvironment:
		return origin, &Mistake{Path: origin.Name, Reason: fileOrigin.Name + " is set too", Advice: "set one of the two"}
	case inFile && (!found || fileOrigin.Source == SourceFlag):
		return fileOrigin, r.readSecretFile(field, beside, path, fileOrigin)
	case found:
		text, _ := direct.(string)
		field.value.Set(reflect.ValueOf(NewSecret(text)))
		return origin, nil
	default:
		return Origin{Source: SourceDefault}, nil
	}
}

func (r *pluginReading) readSecretFile(field pluginField, beside instance, path any, origin Origin) *Mistake {
	text, ok := path.(string)
	if !ok || text == "" {
		return &Mistake{Path: beside.path(), Origin: origin.String(), Reason: "it is not the name of a file", Advice: "write one"}
	}
	secret, open, err := readSecret(text)
	if err != nil {
		return &Mistake{Path: beside.path(), Value: quoted(text), Origin: origin.String(), Reason: "the secret cannot be read: " + err.Error(),
			Advice: "write the name of a file that has the secret"}
	}
	if open {
		r.warnings = append(r.warnings, fmt.Sprintf("%s is %q, which every user of this machine may read; chmod o-r takes that away", beside.path(), text))
	}
	field.value.Set(reflect.ValueOf(secret))
	return nil
}
