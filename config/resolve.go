package config

import (
	"fmt"
	"path/filepath"
	"reflect"

	"github.com/go-viper/mapstructure/v2"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/v2"
)

// resolve finds the value and the origin of every setting.
func (l *Loaded) resolve() []*Mistake {
	var mistakes []*Mistake
	for _, one := range l.known.instances {
		if one.Path == "config" {
			l.resolveConfig(one)
			continue
		}
		resolve := l.resolveOne
		if one.Secret() {
			resolve = l.resolveSecret
		}
		value, origin, mistake := resolve(one)
		if mistake != nil {
			// What is inherited is reported where it stands.
			if origin.Inherited == "" {
				mistakes = append(mistakes, mistake)
			}
			value, _ = one.Kind.read(one.fallback())
		}
		l.Origins[one.path()] = origin
		if one.opens {
			l.besides[one.key()] = value
		} else {
			l.values[one.key()] = value
		}
	}
	l.derive()
	return mistakes
}

// resolveConfig has the origin of what readFiles has found already.
func (l *Loaded) resolveConfig(one instance) {
	origin := Origin{Source: SourceDefault}
	if _, found, ok := l.lookup(one.key()); ok {
		origin = found
	}
	l.Origins[one.path()] = origin
}

func (l *Loaded) resolveOne(one instance) (any, Origin, *Mistake) {
	raw, origin, found := l.lookup(one.key())
	if !found && one.inherits != "" {
		if raw, origin, found = l.lookup(one.inherits); found {
			origin.Inherited = l.known.keys[one.inherits].path()
		}
	}
	if !found {
		raw, origin = one.fallback(), Origin{Source: SourceDefault}
	}
	value, wrong := one.Kind.read(raw)
	if wrong != nil {
		return nil, origin, refusal(one, raw, origin, wrong)
	}
	return value, origin, nil
}

// fallback is the default as text.
func (i instance) fallback() any {
	if i.Kind == KindList && i.Default == "" {
		return []any{}
	}
	return i.Default
}

// refusal is the sentence for a text that is no value of its setting. What may be secret is not repeated.
func refusal(one instance, raw any, origin Origin, wrong *unreadable) *Mistake {
	mistake := &Mistake{Path: one.path(), Origin: origin.String(), Reason: wrong.reason, Advice: wrong.advice, property: origin.Property}
	text, ok := raw.(string)
	if unread, isUnread := raw.(*springUnread); isUnread {
		text, ok = unread.text, unread.text != ""
	}
	if ok && !one.Secret() && one.Kind != kindFree {
		mistake.Value = quoted(text)
	}
	return mistake
}

// derive fills in the defaults that are made from other settings.
func (l *Loaded) derive() {
	if key := joined([]string{"privacy", "key_file"}); l.values[key] == "" {
		directory, _ := l.values["data_dir"].(string)
		l.values[key] = filepath.Join(directory, "privacy.key")
	}
	l.deriveStandard("tracing.endpoint", standardEndpoint)
	l.deriveStandard("tracing.service", standardService)
}

// decode puts the values into the structs.
func decode(values map[string]any, sources Sources) (Settings, error) {
	all := koanf.New(delimiter)
	if err := all.Load(confmap.Provider(values, delimiter), nil); err != nil {
		return Settings{}, fmt.Errorf("reading the settings: %w", err)
	}
	var settings Settings
	var err error
	if settings.TopicDefaults, settings.Topics, err = decodeNamed[Topic](all, "topics", sources.TopicNames); err != nil {
		return Settings{}, err
	}
	if settings.Consumers.Defaults, settings.Consumers.ByName, err = decodeNamed[Consumer](all, "consumers", sources.ConsumerNames); err != nil {
		return Settings{}, err
	}
	all.Delete("topics")
	all.Delete("consumers")
	if err := unmarshal(all, "", &settings); err != nil {
		return Settings{}, err
	}
	return settings, nil
}

// decodeNamed decodes a section with defaults and names below it.
func decodeNamed[T any](all *koanf.Koanf, section string, names []string) (T, map[string]T, error) {
	var defaults T
	if err := unmarshal(all, joined([]string{section, shared}), &defaults); err != nil {
		return defaults, nil, err
	}
	byName := make(map[string]T, len(names))
	for _, name := range names {
		var one T
		if err := unmarshal(all, joined([]string{section, name}), &one); err != nil {
			return defaults, nil, err
		}
		byName[name] = one
	}
	return defaults, byName, nil
}

// unmarshal is strict: the values have their types already, and a setting without a field is our own mistake.
func unmarshal(all *koanf.Koanf, key string, into any) error {
	strict := koanf.UnmarshalConf{DecoderConfig: &mapstructure.DecoderConfig{ErrorUnused: true, DecodeHook: wrapSecret}}
	if err := all.UnmarshalWithConf(key, into, strict); err != nil {
		return fmt.Errorf("reading the settings: %w", err)
	}
	return nil
}

// wrapSecret puts the text of a secret into its type.
func wrapSecret(_, to reflect.Type, data any) (any, error) {
	if to != reflect.TypeFor[Secret]() {
		return data, nil
	}
	switch secret := data.(type) {
	case string:
		return NewSecret(secret), nil
	case heldSecret:
		return Secret{value: secret.Value, file: secret.File}, nil
	default:
		return data, nil
	}
}

// Default returns the defaults, without any consumer or topic by name.
func Default() Settings {
	l := &Loaded{Origins: map[string]Origin{}, values: map[string]any{"config": ""}, besides: map[string]any{}}
	l.known, _ = expand(nil, nil)
	l.resolve()
	// A test holds that the registry's defaults are readable and fit the structs.
	settings, _ := decode(l.values, Sources{})
	return settings
}
