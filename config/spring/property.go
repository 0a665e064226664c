// Package spring owns how Spring Boot reads its configuration: application.properties and application.yml with their documents and
// profiles, relaxed names, variables, placeholders, and the texts inside of values (durations, sizes, JAAS). It never knows a setting of
// ours, and no error of its repeats a value.
package spring

import (
	"fmt"
	"slices"
	"strings"
)

// Property is one property of one source.
type Property struct {
	// Name is the name as it is written, without the number of an entry; for a variable the property that it sets.
	Name string
	// Key is the name as [Uniform] writes it.
	Key string
	// Values are the entries of a list, or the one text that it has. Placeholders are still in them.
	Values []string
	// List says that Values are entries; one text with commas may mean a list all the same.
	List bool
	// File and Line are where it stands; Variable is the variable instead.
	File     string
	Line     int
	Variable string
	numbers  []int // of the entries of a list
	// Earlier is the line of the same name earlier in the same document, which counts for nothing; 0 for none.
	Earlier int
}

// At is for example application.properties:12, or the variable's name.
func (p Property) At() string {
	if p.Variable != "" {
		return p.Variable
	}
	return fmt.Sprintf("%s:%d", p.File, p.Line)
}

// Text is the value as one text, the entries of a list with commas between them.
func (p Property) Text() string { return strings.Join(p.Values, ",") }

// Source is one document of one file, or the variables.
type Source struct {
	// File is empty for variables.
	File string
	// Profile says that it counts for some profiles only.
	Profile bool
	// Properties are in the order in which they stand, each name once.
	Properties []Property
}

// Find returns the property with a uniform name.
func (s Source) Find(key string) (Property, bool) {
	for _, property := range s.Properties {
		if property.Key == key {
			return property, true
		}
	}
	return Property{}, false
}

// add puts a property in: the entries of a list come together, of a name that is there twice the last one counts, as in Java.
func (s *Source) add(name, value string, at Property) {
	plain, number := index(name)
	at.Name, at.Key, at.Values = plain, Uniform(plain), []string{value}
	if number >= 0 {
		at.List, at.numbers = true, []int{number}
	}
	place := slices.IndexFunc(s.Properties, func(other Property) bool { return other.Key == at.Key })
	switch {
	case place < 0:
		s.Properties = append(s.Properties, at)
	case at.List && s.Properties[place].List:
		s.Properties[place].entry(number, value)
	default:
		at.Earlier = s.Properties[place].Line
		s.Properties = append(slices.Delete(s.Properties, place, place+1), at)
	}
}

// entry puts one entry of a list at its place.
func (p *Property) entry(number int, value string) {
	place, there := slices.BinarySearch(p.numbers, number)
	if there {
		p.Values[place] = value
		return
	}
	p.numbers, p.Values = slices.Insert(p.numbers, place, number), slices.Insert(p.Values, place, value)
}
